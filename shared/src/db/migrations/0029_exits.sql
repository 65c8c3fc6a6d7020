CREATE TABLE "ticker"."exits" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_sha256" text NOT NULL,
	"request" jsonb NOT NULL,
	"state" text DEFAULT 'RUNNING' NOT NULL,
	"legs" jsonb,
	"stop_requested_at" timestamp(3) with time zone,
	"reason_code" text,
	"reason" text,
	"waiting" text,
	"alarm_at" timestamp(3) with time zone,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD COLUMN "exit_id" text;--> statement-breakpoint
ALTER TABLE "ticker"."exits" ADD CONSTRAINT "exits_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "exits_idempotency" ON "ticker"."exits" USING btree ("account_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "exits_live" ON "ticker"."exits" USING btree ("account_id") WHERE "ticker"."exits"."state" in ('RUNNING', 'STOPPING');--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD CONSTRAINT "order_intents_exit_id_exits_id_fk" FOREIGN KEY ("exit_id") REFERENCES "ticker"."exits"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "order_intents_exit" ON "ticker"."order_intents" USING btree ("exit_id") WHERE "ticker"."order_intents"."exit_id" is not null;