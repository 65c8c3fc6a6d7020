CREATE TABLE "ticker"."risk_limits" (
	"account_id" text NOT NULL,
	"strategy" text DEFAULT '' NOT NULL,
	"max_order_value" numeric(18, 4),
	"max_order_quantity" integer,
	"max_orders_a_day" integer,
	"max_daily_loss" numeric(18, 4),
	"max_price_deviation_percent" numeric(7, 4),
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "risk_limits_account_id_strategy_pk" PRIMARY KEY("account_id","strategy")
);
--> statement-breakpoint
ALTER TABLE "ticker"."risk_limits" ADD CONSTRAINT "risk_limits_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE cascade ON UPDATE no action;