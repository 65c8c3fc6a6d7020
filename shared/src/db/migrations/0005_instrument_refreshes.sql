CREATE TABLE "ticker"."instrument_refreshes" (
	"id" text PRIMARY KEY NOT NULL,
	"force" boolean NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp(3) with time zone,
	"reason" text,
	"row_count" integer,
	CONSTRAINT "state_known" CHECK ("ticker"."instrument_refreshes"."state" in ('waiting', 'stored', 'failed'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "instrument_refreshes_one_waits" ON "ticker"."instrument_refreshes" USING btree ("state") WHERE "ticker"."instrument_refreshes"."state" = 'waiting';--> statement-breakpoint
CREATE INDEX "instrument_refreshes_requested_at" ON "ticker"."instrument_refreshes" USING btree ("requested_at");