ALTER TABLE "ticker"."fleet" ADD COLUMN "trading_state_reason" text;--> statement-breakpoint
ALTER TABLE "ticker"."fleet" ADD COLUMN "trading_state_at" timestamp(3) with time zone;