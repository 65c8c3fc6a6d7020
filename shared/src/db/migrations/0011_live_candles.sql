CREATE TABLE "ticker"."live_candles" (
	"owner" text NOT NULL,
	"exchange" text NOT NULL,
	"tradingsymbol" text NOT NULL,
	"instrument_token" bigint NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	"open" double precision NOT NULL,
	"high" double precision NOT NULL,
	"low" double precision NOT NULL,
	"close" double precision NOT NULL,
	"volume" bigint,
	"oi" bigint,
	"gap" boolean NOT NULL,
	"time_basis" text NOT NULL,
	CONSTRAINT "live_candles_owner_exchange_tradingsymbol_instrument_token_at_pk" PRIMARY KEY("owner","exchange","tradingsymbol","instrument_token","at")
);
--> statement-breakpoint
CREATE INDEX "live_candles_at" ON "ticker"."live_candles" USING btree ("at");