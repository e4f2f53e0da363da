CREATE TABLE "self_check" (
	"organisation_id" uuid NOT NULL,
	"environment" text NOT NULL,
	"started" timestamp (3) with time zone NOT NULL,
	"ended" timestamp (3) with time zone,
	"records" integer DEFAULT 0 NOT NULL,
	"undecided" integer DEFAULT 0 NOT NULL,
	"same" integer DEFAULT 0 NOT NULL,
	"different" integer DEFAULT 0 NOT NULL,
	"other_selections" integer DEFAULT 0 NOT NULL,
	"examples" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"failure" text,
	CONSTRAINT "self_check_organisation_id_environment_pk" PRIMARY KEY("organisation_id","environment")
);
