ALTER TABLE "ticker"."risk_limits" ADD COLUMN "mis_entries_until" text;--> statement-breakpoint
ALTER TABLE "ticker"."risk_limits" ADD COLUMN "no_entries_on_expiry_day" boolean;