CREATE TABLE "ticker"."calendar_days" (
	"date" date NOT NULL,
	"exchange" text NOT NULL,
	"name" text NOT NULL,
	"spans" jsonb NOT NULL,
	"confirmed" boolean NOT NULL,
	"source" text NOT NULL,
	"stored_by" text NOT NULL,
	"stored_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "calendar_days_date_exchange_pk" PRIMARY KEY("date","exchange")
);
--> statement-breakpoint
ALTER TABLE "ticker"."fleet" ADD COLUMN "calendar_version" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "ticker"."fleet" ADD COLUMN "calendar_known_until" date;