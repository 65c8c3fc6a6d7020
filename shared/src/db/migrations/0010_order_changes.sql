CREATE TABLE "ticker"."order_changes" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_sha256" text NOT NULL,
	"kind" text NOT NULL,
	"intent_id" text,
	"order_id" text,
	"fields" jsonb,
	"state" text DEFAULT 'QUEUED' NOT NULL,
	"deadline" timestamp(3) with time zone,
	"sending_epoch" bigint,
	"sending_at" timestamp(3) with time zone,
	"not_before" timestamp(3) with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"refusals" integer DEFAULT 0 NOT NULL,
	"reason_code" text,
	"reason" text,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "order_changes_target" CHECK ("ticker"."order_changes"."intent_id" is not null or "ticker"."order_changes"."order_id" is not null)
);
--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD COLUMN "cancel_requested_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "ticker"."order_changes" ADD CONSTRAINT "order_changes_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."order_changes" ADD CONSTRAINT "order_changes_intent_id_order_intents_id_fk" FOREIGN KEY ("intent_id") REFERENCES "ticker"."order_intents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "order_changes_idempotency" ON "ticker"."order_changes" USING btree ("account_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "order_changes_live" ON "ticker"."order_changes" USING btree ("account_id","created_at") WHERE "ticker"."order_changes"."state" in ('QUEUED', 'SENDING', 'UNKNOWN') or ("ticker"."order_changes"."kind" = 'cancel' and "ticker"."order_changes"."state" = 'ACCEPTED');--> statement-breakpoint
CREATE INDEX "order_changes_intent" ON "ticker"."order_changes" USING btree ("intent_id");--> statement-breakpoint
CREATE INDEX "order_changes_order" ON "ticker"."order_changes" USING btree ("account_id","order_id");