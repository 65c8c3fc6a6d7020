DROP INDEX "ticker"."audit_log_subject";--> statement-breakpoint
DROP INDEX "ticker"."accounts_broker_user";--> statement-breakpoint
DROP INDEX "ticker"."accounts_api_key";--> statement-breakpoint
ALTER TABLE "ticker"."accounts" ALTER COLUMN "api_secret" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "ticker"."audit_log" ADD COLUMN "owner" text;--> statement-breakpoint
-- Entries from before: whose key acted, else whose account it is about.
UPDATE "ticker"."audit_log" l SET "owner" = coalesce(
  (SELECT k."owner" FROM "ticker"."api_keys" k WHERE k."id" = l."actor" OR 'browser:' || k."id" = l."actor" LIMIT 1),
  (SELECT a."owner" FROM "ticker"."accounts" a WHERE a."id" = l."subject"
    AND split_part(l."action", '.', 1) IN ('access_token', 'account', 'api_secret', 'kite_token', 'postback', 'session')));--> statement-breakpoint
CREATE INDEX "audit_log_owner" ON "ticker"."audit_log" USING btree ("owner","id");--> statement-breakpoint
CREATE INDEX "audit_log_owner_subject" ON "ticker"."audit_log" USING btree ("owner","subject","id");--> statement-breakpoint
CREATE INDEX "audit_log_owner_action" ON "ticker"."audit_log" USING btree ("owner","action","id");--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_broker_user" ON "ticker"."accounts" USING btree ("broker_user_id") WHERE "ticker"."accounts"."status" <> 'deleted';--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_api_key" ON "ticker"."accounts" USING btree ("api_key") WHERE "ticker"."accounts"."status" <> 'deleted';