CREATE TABLE "budget" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"node_id" uuid,
	"key_id" uuid,
	"window" text NOT NULL,
	"unit" text NOT NULL,
	"mode" text NOT NULL,
	"limit_amount" bigint NOT NULL,
	"time_zone" text NOT NULL,
	"fiscal_start" text NOT NULL,
	"alerts_ppm" jsonb NOT NULL,
	"managed_by" text NOT NULL,
	"override_limit" bigint,
	"override_until" timestamp (3) with time zone,
	"override_reason" text,
	"override_by" text,
	"revision" integer NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	"deleted" timestamp (3) with time zone,
	CONSTRAINT "budget_owner" CHECK (("budget"."node_id" is null) <> ("budget"."key_id" is null)),
	CONSTRAINT "budget_limit" CHECK ("budget"."limit_amount" >= 0 and coalesce("budget"."override_limit", 0) >= 0),
	CONSTRAINT "budget_override" CHECK (("budget"."override_limit" is null) = ("budget"."override_until" is null)
        and ("budget"."override_limit" is null) = ("budget"."override_reason" is null))
);
--> statement-breakpoint
CREATE TABLE "budget_alert" (
	"organisation_id" uuid NOT NULL,
	"budget_id" uuid NOT NULL,
	"window_start" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"threshold_ppm" integer NOT NULL,
	"spent" bigint NOT NULL,
	"limit_amount" bigint NOT NULL,
	"time" timestamp (3) with time zone NOT NULL,
	"delivered" timestamp (3) with time zone,
	CONSTRAINT "budget_alert_budget_id_window_start_kind_threshold_ppm_pk" PRIMARY KEY("budget_id","window_start","kind","threshold_ppm")
);
--> statement-breakpoint
CREATE TABLE "budget_window" (
	"organisation_id" uuid NOT NULL,
	"budget_id" uuid NOT NULL,
	"start" timestamp (3) with time zone NOT NULL,
	"end" timestamp (3) with time zone,
	"limit_amount" bigint NOT NULL,
	"settled" bigint DEFAULT 0 NOT NULL,
	"leased" bigint DEFAULT 0 NOT NULL,
	"stranded" bigint DEFAULT 0 NOT NULL,
	"overrun" bigint DEFAULT 0 NOT NULL,
	"would_refuse" integer DEFAULT 0 NOT NULL,
	"refused" timestamp (3) with time zone,
	CONSTRAINT "budget_window_budget_id_start_pk" PRIMARY KEY("budget_id","start"),
	CONSTRAINT "budget_window_sums" CHECK ("budget_window"."settled" >= 0 and "budget_window"."leased" >= 0 and "budget_window"."stranded" >= 0 and "budget_window"."overrun" >= 0)
);
--> statement-breakpoint
CREATE TABLE "lease" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"gateway_id" uuid NOT NULL,
	"incarnation" uuid NOT NULL,
	"budget_ids" uuid[] NOT NULL,
	"window_starts" timestamp (3) with time zone[] NOT NULL,
	"granted" bigint NOT NULL,
	"amount" bigint NOT NULL,
	"settled" bigint DEFAULT 0 NOT NULL,
	"late" bigint DEFAULT 0 NOT NULL,
	"voided" bigint DEFAULT 0 NOT NULL,
	"state" text NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	"expires" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "lease_state" CHECK ("lease"."state" in ('active', 'stranded', 'closed')),
	CONSTRAINT "lease_amounts" CHECK ("lease"."settled" >= 0 and "lease"."settled" <= "lease"."amount" and "lease"."late" >= 0)
);
--> statement-breakpoint
CREATE TABLE "settlement" (
	"organisation_id" uuid NOT NULL,
	"call_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"lease_id" uuid NOT NULL,
	"hold" bigint NOT NULL,
	"actual" bigint NOT NULL,
	"overrun" bigint NOT NULL,
	"evidence" text NOT NULL,
	"time" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "settlement_call_id_attempt_lease_id_pk" PRIMARY KEY("call_id","attempt","lease_id")
);
--> statement-breakpoint
CREATE TABLE "settlement_void" (
	"organisation_id" uuid NOT NULL,
	"call_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"lease_id" uuid NOT NULL,
	"note" text NOT NULL,
	"by" text NOT NULL,
	"time" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "settlement_void_call_id_attempt_lease_id_pk" PRIMARY KEY("call_id","attempt","lease_id")
);
--> statement-breakpoint
CREATE TABLE "transfer" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "transfer_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"organisation_id" uuid NOT NULL,
	"budget_id" uuid NOT NULL,
	"window_start" timestamp (3) with time zone NOT NULL,
	"lease_id" uuid,
	"kind" text NOT NULL,
	"settled" bigint DEFAULT 0 NOT NULL,
	"leased" bigint DEFAULT 0 NOT NULL,
	"stranded" bigint DEFAULT 0 NOT NULL,
	"overrun" bigint DEFAULT 0 NOT NULL,
	"actor" text,
	"time" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "budget" ADD CONSTRAINT "budget_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "budget" ADD CONSTRAINT "budget_node_id_node_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."node"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "budget" ADD CONSTRAINT "budget_key_id_api_key_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."api_key"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "budget_alert" ADD CONSTRAINT "budget_alert_budget_id_budget_id_fk" FOREIGN KEY ("budget_id") REFERENCES "public"."budget"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "budget_window" ADD CONSTRAINT "budget_window_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "budget_window" ADD CONSTRAINT "budget_window_budget_id_budget_id_fk" FOREIGN KEY ("budget_id") REFERENCES "public"."budget"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lease" ADD CONSTRAINT "lease_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "budget_of_node" ON "budget" USING btree ("node_id","window","unit") WHERE "budget"."deleted" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "budget_of_key" ON "budget" USING btree ("key_id","window","unit") WHERE "budget"."deleted" is null;--> statement-breakpoint
CREATE INDEX "budget_organisation" ON "budget" USING btree ("organisation_id");--> statement-breakpoint
CREATE INDEX "budget_alert_time" ON "budget_alert" USING btree ("organisation_id","time");--> statement-breakpoint
CREATE INDEX "lease_open" ON "lease" USING gin ("budget_ids") WHERE "lease"."state" <> 'closed';--> statement-breakpoint
CREATE INDEX "lease_holder" ON "lease" USING btree ("gateway_id") WHERE "lease"."state" <> 'closed';--> statement-breakpoint
CREATE INDEX "settlement_lease" ON "settlement" USING btree ("lease_id");--> statement-breakpoint
CREATE INDEX "transfer_window" ON "transfer" USING btree ("budget_id","window_start");