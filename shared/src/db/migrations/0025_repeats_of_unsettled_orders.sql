CREATE TABLE "ticker"."order_repeats" (
	"account_id" text NOT NULL,
	"key_id" text NOT NULL,
	"request_sha256" text NOT NULL,
	"intent_id" text NOT NULL,
	"stored_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "order_repeats_account_id_key_id_request_sha256_pk" PRIMARY KEY("account_id","key_id","request_sha256")
);
--> statement-breakpoint
ALTER TABLE "ticker"."api_keys" ADD COLUMN "refuse_repeats_s" integer;--> statement-breakpoint
CREATE INDEX "order_repeats_stored" ON "ticker"."order_repeats" USING btree ("stored_at");