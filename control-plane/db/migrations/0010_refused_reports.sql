CREATE TABLE "refused_report" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"gateway_id" uuid NOT NULL,
	"incarnation" text NOT NULL,
	"time" timestamp (3) with time zone NOT NULL,
	"error" text NOT NULL,
	"tries" integer NOT NULL,
	"report" text NOT NULL,
	"state" text NOT NULL,
	"decided" timestamp (3) with time zone,
	"decided_by" text,
	"note" text
);
--> statement-breakpoint
ALTER TABLE "refused_report" ADD CONSTRAINT "refused_report_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "refused_report_state" ON "refused_report" USING btree ("organisation_id","state","time");