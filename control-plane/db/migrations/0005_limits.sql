CREATE TABLE "rate_limit" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"node_id" uuid,
	"key_id" uuid,
	"unit" text NOT NULL,
	"window" text,
	"model" text,
	"metadata" jsonb,
	"per" text,
	"place" text NOT NULL,
	"limit_count" bigint NOT NULL,
	"mode" text NOT NULL,
	"managed_by" text NOT NULL,
	"revision" integer NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "rate_limit_owner" CHECK (("rate_limit"."node_id" is null) <> ("rate_limit"."key_id" is null)),
	CONSTRAINT "rate_limit_window" CHECK (("rate_limit"."window" is null) = ("rate_limit"."unit" = 'concurrency')),
	CONSTRAINT "rate_limit_count" CHECK ("rate_limit"."limit_count" >= 0)
);
--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "report" jsonb;--> statement-breakpoint
ALTER TABLE "rate_limit" ADD CONSTRAINT "rate_limit_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rate_limit" ADD CONSTRAINT "rate_limit_node_id_node_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."node"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rate_limit" ADD CONSTRAINT "rate_limit_key_id_api_key_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."api_key"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "rate_limit_of_node" ON "rate_limit" USING btree ("node_id","place");--> statement-breakpoint
CREATE UNIQUE INDEX "rate_limit_of_key" ON "rate_limit" USING btree ("key_id","place");--> statement-breakpoint
CREATE INDEX "rate_limit_organisation" ON "rate_limit" USING btree ("organisation_id");--> statement-breakpoint
INSERT INTO "rate_limit" ("id", "organisation_id", "node_id", "unit", "window", "place", "limit_count", "mode", "managed_by", "revision", "created")
SELECT gen_random_uuid(), "node"."organisation_id", "node"."id", named."unit", named."window", named."place",
	greatest(0, each."value"::bigint), 'hard', "node"."managed_by", 1, now()
FROM "node"
CROSS JOIN LATERAL jsonb_each_text("node"."limits") each("name", "value")
JOIN (VALUES
	('rpm', 'requests', 'minute', '["requests","minute",null,null,null]'),
	('tpm', 'tokens', 'minute', '["tokens","minute",null,null,null]'),
	('concurrency', 'concurrency', NULL, '["concurrency",null,null,null,null]')
) named("name", "unit", "window", "place") ON named."name" = each."name";--> statement-breakpoint
ALTER TABLE "node" DROP COLUMN "limits";