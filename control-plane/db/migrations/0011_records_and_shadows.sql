ALTER TABLE "retention" ADD COLUMN "facts" text DEFAULT 'full' NOT NULL;--> statement-breakpoint
ALTER TABLE "retention" ADD COLUMN "mask" jsonb;--> statement-breakpoint
ALTER TABLE "deployment" ADD COLUMN "shadow_ppm" integer;--> statement-breakpoint
ALTER TABLE "retention" ADD CONSTRAINT "retention_facts" CHECK ("retention"."facts" in ('full', 'masked', 'digest') and ("retention"."mask" is null or "retention"."facts" = 'masked'));