ALTER TABLE "drill_schedule" ALTER COLUMN "key" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "drill_schedule" ADD COLUMN "workspace" text;