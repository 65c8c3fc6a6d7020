ALTER TABLE "ticker"."order_intents" ADD COLUMN "absent_since" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD COLUMN "absent_until" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD COLUMN "requeue_of" text;--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD CONSTRAINT "order_intents_requeue_of_order_intents_id_fk" FOREIGN KEY ("requeue_of") REFERENCES "ticker"."order_intents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "order_intents_requeue" ON "ticker"."order_intents" USING btree ("requeue_of") WHERE "ticker"."order_intents"."requeue_of" is not null;