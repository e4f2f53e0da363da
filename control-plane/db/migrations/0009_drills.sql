CREATE TABLE "drill_run" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"time" timestamp (3) with time zone NOT NULL,
	"source" text NOT NULL,
	"held" integer NOT NULL,
	"count" integer NOT NULL,
	"cost_nano_usd" bigint NOT NULL,
	"card" jsonb,
	"error" text
);
--> statement-breakpoint
CREATE TABLE "drill_schedule" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"every_ms" bigint NOT NULL,
	"targets" integer NOT NULL,
	"faults" jsonb NOT NULL,
	"golden" jsonb NOT NULL,
	"cost_nano_usd_max" bigint NOT NULL,
	"unproven_ms" bigint NOT NULL,
	"key" text NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"next" timestamp (3) with time zone NOT NULL,
	"alerted" timestamp (3) with time zone,
	"told_to" jsonb DEFAULT '[]'::jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "record" ADD COLUMN "saved_nano_usd" bigint;--> statement-breakpoint
ALTER TABLE "record" ADD COLUMN "direct" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "drill_run" ADD CONSTRAINT "drill_run_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "drill_schedule" ADD CONSTRAINT "drill_schedule_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "drill_run_route" ON "drill_run" USING btree ("organisation_id","environment","model","time");--> statement-breakpoint
CREATE UNIQUE INDEX "drill_schedule_route" ON "drill_schedule" USING btree ("organisation_id","environment","model");--> statement-breakpoint
CREATE INDEX "drill_schedule_next" ON "drill_schedule" USING btree ("next");