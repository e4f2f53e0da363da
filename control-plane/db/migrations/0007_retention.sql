CREATE TABLE "record_rollup" (
	"organisation_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"time" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"node_id" uuid NOT NULL,
	"name" text NOT NULL,
	"value" text NOT NULL,
	"calls" bigint NOT NULL,
	"errors" bigint NOT NULL,
	"denied" bigint NOT NULL,
	"unpriced" bigint NOT NULL,
	"input_tokens" bigint NOT NULL,
	"output_tokens" bigint NOT NULL,
	"cost_nano_usd" bigint NOT NULL,
	"durations" jsonb NOT NULL,
	CONSTRAINT "record_rollup_organisation_id_kind_time_environment_node_id_name_value_pk" PRIMARY KEY("organisation_id","kind","time","environment","node_id","name","value"),
	CONSTRAINT "record_rollup_kind" CHECK ("record_rollup"."kind" in ('target', 'key', 'metadata'))
);
--> statement-breakpoint
CREATE TABLE "retention" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"environment" text,
	"node_id" uuid,
	"key_id" uuid,
	"body_days" integer,
	"row_days" integer,
	"revision" integer NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "retention_owner" CHECK (num_nonnulls("retention"."environment", "retention"."node_id", "retention"."key_id") = 1),
	CONSTRAINT "retention_days" CHECK ("retention"."body_days" >= 0 and "retention"."row_days" >= 1)
);
--> statement-breakpoint
CREATE TABLE "retention_review" (
	"organisation_id" uuid PRIMARY KEY NOT NULL,
	"revision" integer NOT NULL,
	"after" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "author_signature" (
	"organisation_id" uuid NOT NULL,
	"digest" text NOT NULL,
	"key_id" text NOT NULL,
	"signature" text NOT NULL,
	"by" text NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "author_signature_organisation_id_digest_key_id_pk" PRIMARY KEY("organisation_id","digest","key_id")
);
--> statement-breakpoint
CREATE TABLE "ci_identity" (
	"organisation_id" uuid NOT NULL,
	"hash" text NOT NULL,
	"expires" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "ci_identity_organisation_id_hash_pk" PRIMARY KEY("organisation_id","hash")
);
--> statement-breakpoint
CREATE TABLE "ci_trust" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"name" text NOT NULL,
	"issuer" text NOT NULL,
	"audience" text NOT NULL,
	"jwks_url" text,
	"claims" jsonb NOT NULL,
	"role" text NOT NULL,
	"node_id" uuid NOT NULL,
	"lifetime_s" integer NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	CONSTRAINT "ci_trust_role" CHECK ("ci_trust"."role" in ('owner', 'admin', 'security', 'developer', 'finance', 'viewer'))
);
--> statement-breakpoint
ALTER TABLE "token" ADD COLUMN "ci" jsonb;--> statement-breakpoint
ALTER TABLE "document" ADD COLUMN "root_sequence" bigint;--> statement-breakpoint
ALTER TABLE "record" ADD COLUMN "user_hash" text;--> statement-breakpoint
ALTER TABLE "segment" ADD COLUMN "owners" jsonb;--> statement-breakpoint
ALTER TABLE "segment" ADD COLUMN "due" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "segment" ADD COLUMN "gone" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "segment" ADD COLUMN "kept_digest" text;--> statement-breakpoint
ALTER TABLE "segment" ADD COLUMN "removal" bigint;--> statement-breakpoint
ALTER TABLE "record_rollup" ADD CONSTRAINT "record_rollup_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "retention" ADD CONSTRAINT "retention_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "retention" ADD CONSTRAINT "retention_node_id_node_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."node"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "retention" ADD CONSTRAINT "retention_key_id_api_key_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."api_key"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "retention_review" ADD CONSTRAINT "retention_review_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "author_signature" ADD CONSTRAINT "author_signature_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ci_identity" ADD CONSTRAINT "ci_identity_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ci_trust" ADD CONSTRAINT "ci_trust_organisation_id_organisation_id_fk" FOREIGN KEY ("organisation_id") REFERENCES "public"."organisation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ci_trust" ADD CONSTRAINT "ci_trust_node_id_node_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."node"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "record_rollup_metadata" ON "record_rollup" USING btree ("organisation_id","kind","name","time");--> statement-breakpoint
CREATE UNIQUE INDEX "retention_of_environment" ON "retention" USING btree ("organisation_id","environment");--> statement-breakpoint
CREATE UNIQUE INDEX "retention_of_node" ON "retention" USING btree ("node_id");--> statement-breakpoint
CREATE UNIQUE INDEX "retention_of_key" ON "retention" USING btree ("key_id");--> statement-breakpoint
CREATE INDEX "ci_identity_expires" ON "ci_identity" USING btree ("expires");--> statement-breakpoint
CREATE UNIQUE INDEX "ci_trust_name" ON "ci_trust" USING btree ("organisation_id","name");--> statement-breakpoint
CREATE INDEX "ci_trust_issuer" ON "ci_trust" USING btree ("issuer");--> statement-breakpoint
CREATE INDEX "record_user" ON "record" USING btree ("organisation_id","user_hash","time");--> statement-breakpoint
CREATE INDEX "segment_due" ON "segment" USING btree ("due");--> statement-breakpoint
CREATE INDEX "segment_removal" ON "segment" USING btree ("organisation_id","removal");--> statement-breakpoint
INSERT INTO "record_rollup" ("organisation_id", "environment", "time", "kind", "node_id", "name", "value", "calls", "errors", "denied", "unpriced", "input_tokens", "output_tokens", "cost_nano_usd", "durations")
SELECT "organisation_id", "environment", "bucket", 'target', "node", '', "target", sum("calls"), sum("errors"), sum("denied"),
	sum("unpriced"), sum("input"), sum("output"), sum("cost"), jsonb_object_agg("step"::text, "calls")
FROM (
	SELECT "organisation_id", "environment", date_bin('5 minutes', "time", 'epoch') "bucket", coalesce("node_id", '00000000-0000-0000-0000-000000000000') "node", coalesce("target", '') "target",
		floor(ln(greatest("duration_ms", 1)) / ln(1.25))::integer "step", count(*) "calls",
		count(*) FILTER (WHERE "effect" <> 'deny' AND "status" >= 400 AND "status" <> 499) "errors",
		count(*) FILTER (WHERE "effect" = 'deny') "denied",
		count(*) FILTER (WHERE "cost_nano_usd" IS NULL AND "input_tokens" + "output_tokens" > 0) "unpriced",
		sum("input_tokens") "input", sum("output_tokens") "output", coalesce(sum("cost_nano_usd"), 0) "cost"
	FROM "record" GROUP BY 1, 2, 3, 4, 5, 6
) "each"
GROUP BY 1, 2, 3, 5, 7;--> statement-breakpoint
INSERT INTO "record_rollup" ("organisation_id", "environment", "time", "kind", "node_id", "name", "value", "calls", "errors", "denied", "unpriced", "input_tokens", "output_tokens", "cost_nano_usd", "durations")
SELECT "organisation_id", "environment", date_bin('1 hour', "time", 'epoch'), 'key', coalesce("node_id", '00000000-0000-0000-0000-000000000000'), '', "key_id"::text, count(*),
	count(*) FILTER (WHERE "effect" <> 'deny' AND "status" >= 400 AND "status" <> 499), count(*) FILTER (WHERE "effect" = 'deny'),
	count(*) FILTER (WHERE "cost_nano_usd" IS NULL AND "input_tokens" + "output_tokens" > 0),
	sum("input_tokens"), sum("output_tokens"), coalesce(sum("cost_nano_usd"), 0), '{}'
FROM "record" WHERE "key_id" IS NOT NULL
GROUP BY 1, 2, 3, 5, 6, 7;--> statement-breakpoint
INSERT INTO "record_rollup" ("organisation_id", "environment", "time", "kind", "node_id", "name", "value", "calls", "errors", "denied", "unpriced", "input_tokens", "output_tokens", "cost_nano_usd", "durations")
SELECT "organisation_id", "environment", date_bin('1 hour', "time", 'epoch'), 'metadata', coalesce("node_id", '00000000-0000-0000-0000-000000000000'), "each"."name", left("each"."value", 256), count(*),
	count(*) FILTER (WHERE "effect" <> 'deny' AND "status" >= 400 AND "status" <> 499), count(*) FILTER (WHERE "effect" = 'deny'),
	count(*) FILTER (WHERE "cost_nano_usd" IS NULL AND "input_tokens" + "output_tokens" > 0),
	sum("input_tokens"), sum("output_tokens"), coalesce(sum("cost_nano_usd"), 0), '{}'
FROM "record" CROSS JOIN LATERAL jsonb_each_text("metadata") "each"("name", "value")
GROUP BY 1, 2, 3, 5, 6, 7;--> statement-breakpoint
INSERT INTO "retention_review" ("organisation_id", "revision", "after") SELECT "id", 1, '' FROM "organisation";
