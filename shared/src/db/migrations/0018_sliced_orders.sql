CREATE TABLE "ticker"."sliced_orders" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_sha256" text NOT NULL,
	"request" jsonb NOT NULL,
	"quantities" integer[] NOT NULL,
	"cancel_requested_at" timestamp(3) with time zone,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD COLUMN "sliced_order_id" text;--> statement-breakpoint
ALTER TABLE "ticker"."sliced_orders" ADD CONSTRAINT "sliced_orders_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "sliced_orders_idempotency" ON "ticker"."sliced_orders" USING btree ("account_id","idempotency_key");--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD CONSTRAINT "order_intents_sliced_order_id_sliced_orders_id_fk" FOREIGN KEY ("sliced_order_id") REFERENCES "ticker"."sliced_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "order_intents_sliced" ON "ticker"."order_intents" USING btree ("sliced_order_id") WHERE "ticker"."order_intents"."sliced_order_id" is not null;