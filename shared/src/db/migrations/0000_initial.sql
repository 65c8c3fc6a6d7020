CREATE SCHEMA "ticker";
--> statement-breakpoint
CREATE SEQUENCE "ticker"."instance_epoch" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "ticker"."accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"owner" text NOT NULL,
	"broker_user_id" text,
	"api_key" text NOT NULL,
	"api_secret" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"max_connections" integer DEFAULT 3 NOT NULL,
	"max_instruments_per_connection" integer DEFAULT 3000 NOT NULL,
	"trading_state" text DEFAULT 'ACTIVE' NOT NULL,
	"order_gate_reason" text,
	"session_version" bigint DEFAULT 0 NOT NULL,
	"event_seq" bigint DEFAULT 0 NOT NULL,
	"owner_instance_id" uuid,
	"owner_epoch" bigint,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticker"."api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"owner" text NOT NULL,
	"secret_sha256" text NOT NULL,
	"scopes" text[] NOT NULL,
	"account_ids" text[],
	"expires_at" timestamp(3) with time zone,
	"revoked_at" timestamp(3) with time zone,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticker"."audit_log" (
	"id" text PRIMARY KEY NOT NULL,
	"at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"outcome" text NOT NULL,
	"request_id" text,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticker"."deployment" (
	"id" smallint PRIMARY KEY DEFAULT 1 NOT NULL,
	"realm" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "one_row" CHECK ("ticker"."deployment"."id" = 1),
	CONSTRAINT "realm_known" CHECK ("ticker"."deployment"."realm" in ('live', 'sim'))
);
--> statement-breakpoint
CREATE TABLE "ticker"."fleet" (
	"id" smallint PRIMARY KEY DEFAULT 1 NOT NULL,
	"subscriptions_version" bigint DEFAULT 0 NOT NULL,
	"instruments_version" bigint DEFAULT 0 NOT NULL,
	"accounts_version" bigint DEFAULT 0 NOT NULL,
	"trading_state" text DEFAULT 'ACTIVE' NOT NULL,
	CONSTRAINT "one_row" CHECK ("ticker"."fleet"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "ticker"."instances" (
	"id" uuid PRIMARY KEY NOT NULL,
	"epoch" bigint NOT NULL,
	"lease_until" timestamp(3) with time zone NOT NULL,
	"started_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"status" text DEFAULT 'running' NOT NULL,
	"stream_url" text NOT NULL,
	"version" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticker"."instrument_snapshots" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ticker"."instrument_snapshots_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"fetched_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"row_count" integer NOT NULL,
	"sha256" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticker"."instruments" (
	"exchange" text NOT NULL,
	"tradingsymbol" text NOT NULL,
	"instrument_token" bigint NOT NULL,
	"exchange_token" bigint NOT NULL,
	"name" text NOT NULL,
	"expiry" date,
	"strike" numeric(18, 4) NOT NULL,
	"tick_size" numeric(18, 4) NOT NULL,
	"lot_size" integer NOT NULL,
	"instrument_type" text NOT NULL,
	"segment" text NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	CONSTRAINT "instruments_exchange_tradingsymbol_pk" PRIMARY KEY("exchange","tradingsymbol")
);
--> statement-breakpoint
CREATE TABLE "ticker"."intent_orders" (
	"account_id" text NOT NULL,
	"order_id" text NOT NULL,
	"intent_id" text NOT NULL,
	CONSTRAINT "intent_orders_account_id_order_id_pk" PRIMARY KEY("account_id","order_id")
);
--> statement-breakpoint
CREATE TABLE "ticker"."login_states" (
	"nonce_sha256" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"cookie_sha256" text,
	"created_by" text NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL,
	"used_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "ticker"."order_events" (
	"account_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"kind" text NOT NULL,
	"intent_id" text,
	"order_id" text,
	"detail" jsonb NOT NULL,
	"at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "order_events_account_id_seq_pk" PRIMARY KEY("account_id","seq")
);
--> statement-breakpoint
CREATE TABLE "ticker"."order_intents" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_sha256" text NOT NULL,
	"request" jsonb NOT NULL,
	"state" text DEFAULT 'QUEUED' NOT NULL,
	"tag" text NOT NULL,
	"client_tag" text,
	"deadline" timestamp(3) with time zone NOT NULL,
	"sending_epoch" bigint,
	"sending_at" timestamp(3) with time zone,
	"session_version" bigint,
	"not_before" timestamp(3) with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"broker_order_id" text,
	"reason_code" text,
	"reason" text,
	"next_read_at" timestamp(3) with time zone,
	"reads" integer DEFAULT 0 NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticker"."orders" (
	"account_id" text NOT NULL,
	"order_id" text NOT NULL,
	"intent_id" text,
	"status" text NOT NULL,
	"status_rank" smallint NOT NULL,
	"status_message" text,
	"exchange" text NOT NULL,
	"tradingsymbol" text NOT NULL,
	"transaction_type" text NOT NULL,
	"quantity" integer NOT NULL,
	"filled_quantity" integer NOT NULL,
	"average_price" numeric(18, 4) NOT NULL,
	"broker_updated_at" timestamp(3) with time zone NOT NULL,
	"broker_order" jsonb NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "orders_account_id_order_id_pk" PRIMARY KEY("account_id","order_id")
);
--> statement-breakpoint
CREATE TABLE "ticker"."postback_hints" (
	"account_id" text NOT NULL,
	"order_id" text NOT NULL,
	"received_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "postback_hints_account_id_order_id_pk" PRIMARY KEY("account_id","order_id")
);
--> statement-breakpoint
CREATE TABLE "ticker"."sessions" (
	"account_id" text NOT NULL,
	"version" bigint NOT NULL,
	"broker_user_id" text NOT NULL,
	"user_name" text NOT NULL,
	"access_token" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"dead_reason" text,
	"login_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "sessions_account_id_version_pk" PRIMARY KEY("account_id","version")
);
--> statement-breakpoint
CREATE TABLE "ticker"."subscriptions" (
	"exchange" text NOT NULL,
	"tradingsymbol" text NOT NULL,
	"source" text NOT NULL,
	"mode" text NOT NULL,
	"owner" text NOT NULL,
	"account_id" text,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "subscriptions_exchange_tradingsymbol_owner_source_pk" PRIMARY KEY("exchange","tradingsymbol","owner","source")
);
--> statement-breakpoint
ALTER TABLE "ticker"."intent_orders" ADD CONSTRAINT "intent_orders_intent_id_order_intents_id_fk" FOREIGN KEY ("intent_id") REFERENCES "ticker"."order_intents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."login_states" ADD CONSTRAINT "login_states_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."order_intents" ADD CONSTRAINT "order_intents_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."orders" ADD CONSTRAINT "orders_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."postback_hints" ADD CONSTRAINT "postback_hints_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."sessions" ADD CONSTRAINT "sessions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."subscriptions" ADD CONSTRAINT "subscriptions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_broker_user" ON "ticker"."accounts" USING btree ("broker_user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_api_key" ON "ticker"."accounts" USING btree ("api_key");--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_secret" ON "ticker"."api_keys" USING btree ("secret_sha256");--> statement-breakpoint
CREATE INDEX "audit_log_at" ON "ticker"."audit_log" USING btree ("at");--> statement-breakpoint
CREATE UNIQUE INDEX "instruments_active_token" ON "ticker"."instruments" USING btree ("instrument_token") WHERE "ticker"."instruments"."is_active";--> statement-breakpoint
CREATE INDEX "instruments_symbol_prefix" ON "ticker"."instruments" USING btree ("tradingsymbol" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "instruments_name" ON "ticker"."instruments" USING btree ("name","expiry","strike");--> statement-breakpoint
CREATE INDEX "intent_orders_intent" ON "ticker"."intent_orders" USING btree ("intent_id");--> statement-breakpoint
CREATE INDEX "order_events_intent" ON "ticker"."order_events" USING btree ("intent_id");--> statement-breakpoint
CREATE UNIQUE INDEX "order_intents_idempotency" ON "ticker"."order_intents" USING btree ("account_id","idempotency_key");--> statement-breakpoint
CREATE UNIQUE INDEX "order_intents_tag" ON "ticker"."order_intents" USING btree ("account_id","tag");--> statement-breakpoint
CREATE INDEX "order_intents_open" ON "ticker"."order_intents" USING btree ("account_id","created_at") WHERE "ticker"."order_intents"."state" in ('QUEUED', 'SENDING', 'UNKNOWN');--> statement-breakpoint
CREATE INDEX "order_intents_list" ON "ticker"."order_intents" USING btree ("account_id","id");--> statement-breakpoint
CREATE INDEX "orders_intent" ON "ticker"."orders" USING btree ("intent_id");--> statement-breakpoint
CREATE INDEX "orders_list" ON "ticker"."orders" USING btree ("account_id","broker_updated_at");