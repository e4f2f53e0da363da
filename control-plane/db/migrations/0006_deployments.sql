CREATE TABLE "approval" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"workspace" text NOT NULL,
	"wanted" jsonb NOT NULL,
	"base_sequence" bigint NOT NULL,
	"status" text NOT NULL,
	"needed" integer NOT NULL,
	"role" text,
	"action" text NOT NULL,
	"requested_by" text NOT NULL,
	"decisions" jsonb NOT NULL,
	"created" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rollout_tally" (
	"organisation_id" uuid NOT NULL,
	"deployment_id" uuid NOT NULL,
	"arm" text NOT NULL,
	"calls" bigint NOT NULL,
	"policy_errors" bigint NOT NULL,
	"upstream_errors" bigint NOT NULL,
	"denies" bigint NOT NULL,
	"guardrails" bigint NOT NULL,
	"priced_calls" bigint NOT NULL,
	"cost_nano_usd" bigint NOT NULL,
	"cost_squares" double precision NOT NULL,
	"latency" jsonb NOT NULL,
	"examples" jsonb NOT NULL,
	"updated" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "rollout_tally_deployment_id_arm_pk" PRIMARY KEY("deployment_id","arm")
);
--> statement-breakpoint
CREATE TABLE "shadow_tally" (
	"organisation_id" uuid NOT NULL,
	"deployment_id" uuid NOT NULL,
	"version_digest" text NOT NULL,
	"from_rule" text NOT NULL,
	"to_rule" text NOT NULL,
	"effect" text NOT NULL,
	"same" text NOT NULL,
	"calls" bigint NOT NULL,
	"examples" jsonb NOT NULL,
	CONSTRAINT "shadow_tally_pk" PRIMARY KEY("deployment_id","version_digest","from_rule","to_rule","effect","same")
);
--> statement-breakpoint
ALTER TABLE "environment" ADD COLUMN "freeze" jsonb;--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "engine" text;--> statement-breakpoint
ALTER TABLE "record" ADD COLUMN "arm" text;--> statement-breakpoint
ALTER TABLE "deployment" ADD COLUMN "cause" text DEFAULT 'promotion' NOT NULL;--> statement-breakpoint
ALTER TABLE "deployment" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "deployment" ADD COLUMN "evidence" jsonb;--> statement-breakpoint
ALTER TABLE "deployment" ADD COLUMN "approval_id" uuid;--> statement-breakpoint
ALTER TABLE "approval" ADD CONSTRAINT "approval_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rollout_tally" ADD CONSTRAINT "rollout_tally_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadow_tally" ADD CONSTRAINT "shadow_tally_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "approval_time" ON "approval" USING btree ("organisation_id","created");