CREATE TABLE "ticker"."instrument_changes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ticker"."instrument_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"snapshot_id" bigint NOT NULL,
	"at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"exchange" text NOT NULL,
	"tradingsymbol" text NOT NULL,
	"name" text NOT NULL,
	"change" text NOT NULL,
	"before" text,
	"after" text
);
--> statement-breakpoint
CREATE INDEX "instrument_changes_contract" ON "ticker"."instrument_changes" USING btree ("exchange","tradingsymbol","id");--> statement-breakpoint
CREATE INDEX "instrument_changes_at" ON "ticker"."instrument_changes" USING btree ("at");--> statement-breakpoint
CREATE INDEX "instruments_active_segment" ON "ticker"."instruments" USING btree ("segment","exchange","tradingsymbol") WHERE "ticker"."instruments"."is_active";--> statement-breakpoint
CREATE INDEX "instruments_active_expiry" ON "ticker"."instruments" USING btree ("expiry","exchange","tradingsymbol") WHERE "ticker"."instruments"."is_active";--> statement-breakpoint
CREATE INDEX "instruments_active_strike" ON "ticker"."instruments" USING btree ("strike") WHERE "ticker"."instruments"."is_active";