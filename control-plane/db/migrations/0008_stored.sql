CREATE TABLE "stored_thing" (
	"organisation_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"key" text NOT NULL,
	"node_id" uuid NOT NULL,
	"connection" text NOT NULL,
	"expires" timestamp (3) with time zone,
	CONSTRAINT "stored_thing_organisation_id_environment_key_pk" PRIMARY KEY("organisation_id","environment","key")
);
--> statement-breakpoint
ALTER TABLE "stored_thing" ADD CONSTRAINT "stored_thing_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stored_thing" ADD CONSTRAINT "stored_thing_node_id_node_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."node"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "stored_thing_node" ON "stored_thing" USING btree ("node_id");--> statement-breakpoint
CREATE INDEX "stored_thing_expires" ON "stored_thing" USING btree ("expires");