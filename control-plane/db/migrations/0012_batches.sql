CREATE TABLE "batch_job" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"gateway_id" uuid NOT NULL,
	"provider_id" text,
	"job" jsonb NOT NULL,
	"leases" jsonb NOT NULL,
	"state" text NOT NULL,
	"outcome" text,
	"metered" integer DEFAULT 0 NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	"next" timestamp (3) with time zone NOT NULL,
	"holder" uuid,
	"held_until" timestamp (3) with time zone,
	"ended" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "batch_job" ADD CONSTRAINT "batch_job_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "batch_job_next" ON "batch_job" USING btree ("organisation_id","environment","next") WHERE "batch_job"."state" = 'running';--> statement-breakpoint
CREATE INDEX "batch_job_provider" ON "batch_job" USING btree ("organisation_id","environment","provider_id");