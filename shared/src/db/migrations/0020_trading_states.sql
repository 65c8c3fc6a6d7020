ALTER TABLE "ticker"."accounts" ADD COLUMN "trading_state_reason" text;--> statement-breakpoint
ALTER TABLE "ticker"."accounts" ADD COLUMN "trading_state_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "ticker"."accounts" ADD COLUMN "trading_state_by" text;--> statement-breakpoint
ALTER TABLE "ticker"."accounts" ADD COLUMN "sweep_requested_at" timestamp(3) with time zone;