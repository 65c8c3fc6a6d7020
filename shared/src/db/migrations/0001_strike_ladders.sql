CREATE TABLE "ticker"."strike_ladder_states" (
	"owner" text NOT NULL,
	"id" text NOT NULL,
	"moves" bigint NOT NULL,
	"atms" jsonb NOT NULL,
	"moved_at" timestamp(3) with time zone NOT NULL,
	"spot" numeric(18, 4),
	"spot_at" timestamp(3) with time zone,
	"spot_instrument" text,
	"reason" text,
	"instrument_tokens" bigint[] NOT NULL,
	"reported_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "strike_ladder_states_owner_id_pk" PRIMARY KEY("owner","id")
);
--> statement-breakpoint
CREATE TABLE "ticker"."strike_ladders" (
	"owner" text NOT NULL,
	"id" text NOT NULL,
	"revision" uuid NOT NULL,
	"underlying" text NOT NULL,
	"exchange" text NOT NULL,
	"strikes" integer NOT NULL,
	"expiries" integer NOT NULL,
	"option_types" text[] NOT NULL,
	"futures" boolean NOT NULL,
	"mode" text NOT NULL,
	"account_id" text,
	"instruments_max" integer NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "strike_ladders_owner_id_pk" PRIMARY KEY("owner","id")
);
--> statement-breakpoint
CREATE TABLE "ticker"."subscription_changes" (
	"version" bigint PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"source" text NOT NULL,
	"exchanges" text[] NOT NULL,
	"tradingsymbols" text[] NOT NULL,
	"at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ticker"."fleet" ADD COLUMN "ladders_version" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "ticker"."strike_ladder_states" ADD CONSTRAINT "strike_ladder_states_owner_id_strike_ladders_owner_id_fk" FOREIGN KEY ("owner","id") REFERENCES "ticker"."strike_ladders"("owner","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticker"."strike_ladders" ADD CONSTRAINT "strike_ladders_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ticker"."accounts"("id") ON DELETE set null ON UPDATE no action;