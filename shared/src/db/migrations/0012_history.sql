CREATE TABLE "ticker"."history_days" (
	"series_id" bigint NOT NULL,
	"day" date NOT NULL,
	"bars" json NOT NULL,
	"covered_until" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "history_days_series_id_day_pk" PRIMARY KEY("series_id","day")
);
--> statement-breakpoint
CREATE TABLE "ticker"."history_loads" (
	"id" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"account_ids" text[],
	"series_id" bigint NOT NULL,
	"from_day" date NOT NULL,
	"to_day" date NOT NULL,
	"until" timestamp(3) with time zone NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"reason_code" text,
	"reason" text,
	"broker_calls" bigint DEFAULT 0 NOT NULL,
	"taken_by" text,
	"taken_until" timestamp(3) with time zone,
	"requested_by" text NOT NULL,
	"requested_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp(3) with time zone,
	CONSTRAINT "state_known" CHECK ("ticker"."history_loads"."state" in ('waiting', 'loading', 'done', 'failed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "ticker"."history_series" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ticker"."history_series_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"exchange" text NOT NULL,
	"tradingsymbol" text NOT NULL,
	"instrument_token" bigint NOT NULL,
	"interval" text NOT NULL,
	"continuous" boolean NOT NULL,
	"used_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ticker"."history_days" ADD CONSTRAINT "history_days_series_id_history_series_id_fk" FOREIGN KEY ("series_id") REFERENCES "ticker"."history_series"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."history_loads" ADD CONSTRAINT "history_loads_series_id_history_series_id_fk" FOREIGN KEY ("series_id") REFERENCES "ticker"."history_series"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "history_loads_open" ON "ticker"."history_loads" USING btree ("owner","series_id","from_day","to_day") WHERE "ticker"."history_loads"."state" in ('waiting', 'loading');--> statement-breakpoint
CREATE INDEX "history_loads_owner" ON "ticker"."history_loads" USING btree ("owner","id");--> statement-breakpoint
CREATE INDEX "history_loads_series" ON "ticker"."history_loads" USING btree ("series_id");--> statement-breakpoint
CREATE INDEX "history_loads_requested_at" ON "ticker"."history_loads" USING btree ("requested_at");--> statement-breakpoint
CREATE UNIQUE INDEX "history_series_contract" ON "ticker"."history_series" USING btree ("exchange","tradingsymbol","instrument_token","interval","continuous");--> statement-breakpoint
CREATE INDEX "history_series_used_at" ON "ticker"."history_series" USING btree ("used_at");