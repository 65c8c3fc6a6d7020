CREATE TABLE "ticker"."live_candle_gaps" (
	"owner" text NOT NULL,
	"exchange" text NOT NULL,
	"tradingsymbol" text NOT NULL,
	"instrument_token" bigint NOT NULL,
	"from_at" timestamp(3) with time zone NOT NULL,
	"to_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "live_candle_gaps_owner_exchange_tradingsymbol_instrument_token_from_at_pk" PRIMARY KEY("owner","exchange","tradingsymbol","instrument_token","from_at")
);
--> statement-breakpoint
DROP INDEX "ticker"."history_loads_open";--> statement-breakpoint
ALTER TABLE "ticker"."history_loads" ADD COLUMN "waiting_since" timestamp(3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "live_candle_gaps_to_at" ON "ticker"."live_candle_gaps" USING btree ("to_at");--> statement-breakpoint
CREATE UNIQUE INDEX "history_loads_open" ON "ticker"."history_loads" USING btree ("owner","series_id","from_day","to_day",coalesce("account_ids", '{}'::text[])) WHERE "ticker"."history_loads"."state" in ('waiting', 'loading');