ALTER TABLE "ticker"."instrument_refreshes" ADD COLUMN "force_sha256" text;--> statement-breakpoint
ALTER TABLE "ticker"."instrument_refreshes" ADD COLUMN "refused_sha256" text;--> statement-breakpoint
CREATE INDEX "instrument_changes_name" ON "ticker"."instrument_changes" USING btree ("name","id");--> statement-breakpoint
CREATE INDEX "instrument_changes_change" ON "ticker"."instrument_changes" USING btree ("change","id");--> statement-breakpoint
CREATE INDEX "instrument_refreshes_finished_at" ON "ticker"."instrument_refreshes" USING btree ("finished_at");--> statement-breakpoint
ALTER TABLE "ticker"."instrument_refreshes" DROP COLUMN "force";