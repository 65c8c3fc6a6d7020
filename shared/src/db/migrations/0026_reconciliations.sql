CREATE TABLE "ticker"."reconciliations" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"reason" text NOT NULL,
	"trading_day" date NOT NULL,
	"state" text DEFAULT 'PENDING' NOT NULL,
	"outcome" text,
	"report" jsonb,
	"event_seq" bigint,
	"attempts" integer DEFAULT 0 NOT NULL,
	"failure" text,
	"next_attempt_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"requested_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp(3) with time zone
);
--> statement-breakpoint
ALTER TABLE "ticker"."orders" ADD COLUMN "seen_at" timestamp(3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "ticker"."reconciliations" ADD CONSTRAINT "reconciliations_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "reconciliations_waiting" ON "ticker"."reconciliations" USING btree ("account_id","reason") WHERE "ticker"."reconciliations"."state" = 'PENDING';--> statement-breakpoint
CREATE UNIQUE INDEX "reconciliations_close" ON "ticker"."reconciliations" USING btree ("account_id","trading_day") WHERE "ticker"."reconciliations"."reason" = 'close';--> statement-breakpoint
CREATE INDEX "reconciliations_list" ON "ticker"."reconciliations" USING btree ("account_id","id");