DROP INDEX "ticker"."webhook_deliveries_due";--> statement-breakpoint
DROP INDEX "ticker"."webhook_deliveries_pending";--> statement-breakpoint
ALTER TABLE "ticker"."webhook_deliveries" ADD COLUMN "claims" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_taken" ON "ticker"."webhook_deliveries" USING btree ("webhook_id","taken_until") WHERE "ticker"."webhook_deliveries"."state" = 'pending' and "ticker"."webhook_deliveries"."taken_until" is not null;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_dead" ON "ticker"."webhook_deliveries" USING btree ("webhook_id") WHERE "ticker"."webhook_deliveries"."state" = 'dead';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_pending" ON "ticker"."webhook_deliveries" USING btree ("webhook_id","next_at") WHERE "ticker"."webhook_deliveries"."state" = 'pending';