CREATE TABLE "ticker"."account_writes" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_sha256" text NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"request" jsonb,
	"trigger_id" text,
	"before" jsonb,
	"state" text DEFAULT 'QUEUED' NOT NULL,
	"deadline" timestamp(3) with time zone NOT NULL,
	"sending_epoch" bigint,
	"sending_at" timestamp(3) with time zone,
	"not_before" timestamp(3) with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"reason_code" text,
	"reason" text,
	"absent_at" timestamp(3) with time zone,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticker"."gtts" (
	"account_id" text NOT NULL,
	"trigger_id" text NOT NULL,
	"status" text NOT NULL,
	"broker_gtt" jsonb NOT NULL,
	"write_id" text,
	"created_at" timestamp(3) with time zone,
	"updated_at" timestamp(3) with time zone,
	"expires_at" timestamp(3) with time zone,
	"seen_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "gtts_account_id_trigger_id_pk" PRIMARY KEY("account_id","trigger_id")
);
--> statement-breakpoint
ALTER TABLE "ticker"."account_writes" ADD CONSTRAINT "account_writes_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."gtts" ADD CONSTRAINT "gtts_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."gtts" ADD CONSTRAINT "gtts_write_id_account_writes_id_fk" FOREIGN KEY ("write_id") REFERENCES "ticker"."account_writes"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "account_writes_idempotency" ON "ticker"."account_writes" USING btree ("account_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "account_writes_due" ON "ticker"."account_writes" USING btree ("account_id","created_at") WHERE "ticker"."account_writes"."state" in ('QUEUED', 'SENDING', 'UNKNOWN');--> statement-breakpoint
CREATE INDEX "account_writes_list" ON "ticker"."account_writes" USING btree ("account_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "gtts_write" ON "ticker"."gtts" USING btree ("write_id") WHERE "ticker"."gtts"."write_id" is not null;--> statement-breakpoint
CREATE INDEX "gtts_active" ON "ticker"."gtts" USING btree ("account_id") WHERE "ticker"."gtts"."status" = 'active';