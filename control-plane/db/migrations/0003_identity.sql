CREATE TABLE "console_session" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"hash" text NOT NULL,
	"user_agent" text NOT NULL,
	"address" text NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	"last_used" timestamp (3) with time zone NOT NULL,
	"expires" timestamp (3) with time zone NOT NULL,
	"ended" timestamp (3) with time zone,
	CONSTRAINT "console_session_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "console_user" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"name" text NOT NULL,
	"display_name" text NOT NULL,
	"source" text NOT NULL,
	"issuer" text,
	"subject" text,
	"password_hash" text,
	"revision" integer NOT NULL,
	"created" timestamp (3) with time zone NOT NULL,
	"last_sign_in" timestamp (3) with time zone,
	"disabled" timestamp (3) with time zone,
	CONSTRAINT "console_user_name" UNIQUE("organisation_id","name"),
	CONSTRAINT "console_user_subject" UNIQUE("organisation_id","issuer","subject"),
	CONSTRAINT "console_user_source" CHECK (("console_user"."source" = 'oidc') = ("console_user"."subject" is not null))
);
--> statement-breakpoint
CREATE TABLE "oidc_sign_in" (
	"state_hash" text PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"secrets" text NOT NULL,
	"expires" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "retired_key_secret" (
	"hash" text PRIMARY KEY NOT NULL,
	"organisation_id" uuid NOT NULL,
	"key_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"retired" timestamp (3) with time zone NOT NULL,
	"expires" timestamp (3) with time zone NOT NULL,
	"revoked" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "user_grant" (
	"organisation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"node_id" uuid NOT NULL,
	"role" text NOT NULL,
	CONSTRAINT "user_grant_user_id_node_id_role_pk" PRIMARY KEY("user_id","node_id","role"),
	CONSTRAINT "user_grant_role" CHECK ("user_grant"."role" in ('owner', 'admin', 'security', 'developer', 'finance', 'viewer'))
);
--> statement-breakpoint
ALTER TABLE "token" DROP CONSTRAINT "token_role";--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "scopes" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "rotated" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "last_used" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "node" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "token" ADD COLUMN "node_id" uuid;--> statement-breakpoint
-- Until now a token held everywhere: its node is the root of its organisation.
UPDATE "token" SET "node_id" = "node"."id" FROM "node"
	WHERE "node"."organisation_id" = "token"."organisation_id" AND "node"."kind" = 'organisation';--> statement-breakpoint
ALTER TABLE "token" ALTER COLUMN "node_id" SET NOT NULL;--> statement-breakpoint
-- A member could read and push; the root token may do everything.
UPDATE "token" SET "role" = CASE WHEN "kind" = 'root' THEN 'owner' WHEN "role" = 'member' THEN 'developer' ELSE "role" END;--> statement-breakpoint
ALTER TABLE "token" ADD COLUMN "expires" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "console_session" ADD CONSTRAINT "console_session_user_id_console_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."console_user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "retired_key_secret" ADD CONSTRAINT "retired_key_secret_key_id_api_key_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."api_key"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_grant" ADD CONSTRAINT "user_grant_user_id_console_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."console_user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_grant" ADD CONSTRAINT "user_grant_node_id_node_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."node"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "console_session_user" ON "console_session" USING btree ("user_id","created");--> statement-breakpoint
CREATE INDEX "oidc_sign_in_expires" ON "oidc_sign_in" USING btree ("expires");--> statement-breakpoint
CREATE INDEX "retired_key_secret_key" ON "retired_key_secret" USING btree ("key_id");--> statement-breakpoint
CREATE INDEX "retired_key_secret_environment" ON "retired_key_secret" USING btree ("organisation_id","environment","expires");--> statement-breakpoint
CREATE INDEX "user_grant_node" ON "user_grant" USING btree ("node_id");--> statement-breakpoint
ALTER TABLE "token" ADD CONSTRAINT "token_node_id_node_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."node"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_key_start" ON "api_key" USING btree ("organisation_id","start" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "api_key_created" ON "api_key" USING btree ("organisation_id","created","id");--> statement-breakpoint
CREATE INDEX "token_node" ON "token" USING btree ("node_id");--> statement-breakpoint
ALTER TABLE "token" ADD CONSTRAINT "token_role" CHECK ("token"."role" in ('owner', 'admin', 'security', 'developer', 'finance', 'viewer'));