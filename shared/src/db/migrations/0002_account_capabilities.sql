ALTER TABLE "ticker"."accounts" ADD COLUMN "market_data" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "ticker"."accounts" ADD COLUMN "trading" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "ticker"."sessions" ADD COLUMN "socket_refused_at" timestamp(3) with time zone;