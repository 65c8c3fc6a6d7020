CREATE TABLE "ticker"."batches" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_sha256" text NOT NULL,
	"request" jsonb NOT NULL,
	"state" text DEFAULT 'RUNNING' NOT NULL,
	"unwind" text NOT NULL,
	"stop_requested_at" timestamp(3) with time zone,
	"reason_code" text,
	"reason" text,
	"unwind_failure" text,
	"margin" jsonb,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD COLUMN "batch_id" text;--> statement-breakpoint
ALTER TABLE "ticker"."batches" ADD CONSTRAINT "batches_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "batches_idempotency" ON "ticker"."batches" USING btree ("account_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "batches_live" ON "ticker"."batches" USING btree ("account_id") WHERE "ticker"."batches"."state" in ('RUNNING', 'STOPPING');--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD CONSTRAINT "order_intents_batch_id_batches_id_fk" FOREIGN KEY ("batch_id") REFERENCES "ticker"."batches"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "order_intents_batch" ON "ticker"."order_intents" USING btree ("batch_id") WHERE "ticker"."order_intents"."batch_id" is not null;