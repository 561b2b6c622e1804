BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE artifacts (
	job_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_artifacts PRIMARY KEY (job_id, name), 
	CONSTRAINT fk_artifacts_job_id FOREIGN KEY(job_id) REFERENCES jobs (id)
);
INSERT INTO "artifacts" VALUES(1,'history.csv','0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	job_id INTEGER NOT NULL, 
	token VARCHAR(32) NOT NULL, 
	host TEXT NOT NULL, 
	boot_id VARCHAR(64) NOT NULL, 
	worker_pid INTEGER NOT NULL, 
	worker_started_at FLOAT NOT NULL, 
	child_pid INTEGER, 
	child_started_at FLOAT, 
	device VARCHAR(80) NOT NULL, 
	slot INTEGER NOT NULL, 
	started_at FLOAT NOT NULL, 
	heartbeat_at FLOAT NOT NULL, 
	ended_at FLOAT, 
	outcome VARCHAR(12), 
	progress JSON, 
	CONSTRAINT pk_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_attempts_job_id FOREIGN KEY(job_id) REFERENCES jobs (id), 
	CONSTRAINT uq_attempts_token UNIQUE (token)
);
INSERT INTO "attempts" VALUES(1,1,'3a43e3473dd44f9288a7f4fab7dfba09','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79557764638125801079e+09,1.79557764638125801079e+09,1.79557764640700626371e+09,'succeeded',NULL);
INSERT INTO "attempts" VALUES(2,2,'93686e4589504f0db51518b36c964451','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79557764641423678398e+09,1.79557764641423678398e+09,NULL,NULL,NULL);
CREATE TABLE baselines (
	version INTEGER NOT NULL, 
	config JSON NOT NULL, 
	config_sha256 VARCHAR(64) NOT NULL, 
	promoted_from INTEGER, 
	member_id INTEGER, 
	forced INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_baselines PRIMARY KEY (version), 
	CONSTRAINT ck_baselines_forced_is_bool CHECK (forced IN (0, 1)), 
	CONSTRAINT fk_baselines_member_id FOREIGN KEY(member_id) REFERENCES members (id), 
	CONSTRAINT fk_baselines_promoted_from FOREIGN KEY(promoted_from) REFERENCES experiments (id)
);
INSERT INTO "baselines" VALUES(1,'{"seed": 42, "data": {"size": "256x256"}, "model": {"architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3}, "augment": {"horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2}, "loss": {"cross_entropy": 1.0, "dice": 1.0}, "optimizer": {"name": "adamw", "lr": 0.001, "weight_decay": 0.0001}, "schedule": {"name": "cosine", "warmup_epochs": 1.0}, "train": {"epochs": 20, "batch_size": 8, "precision": "auto", "workers": 2}}','ec23105805345255b153444f40ef136a111eca12da253268f8e7664134799edd',NULL,NULL,0,1.79557764635214447976e+09);
CREATE TABLE competition (
	id INTEGER NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	locked_settings JSON, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_competition PRIMARY KEY (id), 
	CONSTRAINT ck_competition_only_one CHECK (id = 1)
);
INSERT INTO "competition" VALUES(1,'ffffffffffffffff',NULL,1.7955776463239269256e+09);
CREATE TABLE ensembles (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	split_version INTEGER NOT NULL, 
	method VARCHAR(16) NOT NULL, 
	weights JSON NOT NULL, 
	score FLOAT NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_ensembles PRIMARY KEY (id), 
	CONSTRAINT fk_ensembles_split_version FOREIGN KEY(split_version) REFERENCES splits (version), 
	CONSTRAINT uq_ensembles_name UNIQUE (name)
);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	actor TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	action TEXT NOT NULL, 
	why TEXT, 
	CONSTRAINT pk_events PRIMARY KEY (id)
);
INSERT INTO "events" VALUES(1,1.79557764633934855468e+09,'ann','ann','assigned lead',NULL);
INSERT INTO "events" VALUES(2,1.79557764634014320375e+09,'ann','ann','assigned training',NULL);
INSERT INTO "events" VALUES(3,1.79557764634177470207e+09,'ann','split v1','split','kfold, 2 folds, seed 42');
INSERT INTO "events" VALUES(4,1.79557764635320329668e+09,'ann','b1','baseline','from baseline.yaml');
INSERT INTO "events" VALUES(5,1.79557764636369657511e+09,'ann','b1','submitted','the baseline itself');
INSERT INTO "events" VALUES(6,1.79557764637844943997e+09,'ann','b1','debug: queued',NULL);
INSERT INTO "events" VALUES(7,1.79557764637889885899e+09,'ann','b1','fold 0: waiting',NULL);
INSERT INTO "events" VALUES(8,1.79557764637912654881e+09,'ann','b1','fold 1: waiting',NULL);
INSERT INTO "events" VALUES(9,1.79557764639582920079e+09,'host','b1','debug: queued -> running','on cpu');
INSERT INTO "events" VALUES(10,1.79557764640673351284e+09,'host','b1','debug: running -> succeeded',NULL);
INSERT INTO "events" VALUES(11,1.79557764640872406956e+09,'comp','b1','fold 0: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(12,1.7955776464091088772e+09,'comp','b1','fold 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(13,1.79557764641498661039e+09,'host','b1','fold 0: queued -> running','on cpu');
CREATE TABLE experiments (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	member_id INTEGER NOT NULL, 
	split_version INTEGER NOT NULL, 
	baseline_version INTEGER NOT NULL, 
	config JSON NOT NULL, 
	config_sha256 VARCHAR(64) NOT NULL, 
	parent_sha256 VARCHAR(64), 
	conditions JSON NOT NULL, 
	confounded TEXT, 
	note TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	score FLOAT, 
	class_iou JSON, 
	CONSTRAINT pk_experiments PRIMARY KEY (id), 
	CONSTRAINT fk_experiments_member_id FOREIGN KEY(member_id) REFERENCES members (id), 
	CONSTRAINT fk_experiments_split_version FOREIGN KEY(split_version) REFERENCES splits (version), 
	CONSTRAINT uq_experiments_config_sha256_split_version UNIQUE (config_sha256, split_version), 
	CONSTRAINT uq_experiments_name UNIQUE (name)
);
INSERT INTO "experiments" VALUES(1,'b1',1,1,1,'{"seed": 42, "data": {"size": "256x256"}, "model": {"architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3}, "augment": {"horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2}, "loss": {"cross_entropy": 1.0, "dice": 1.0}, "optimizer": {"name": "adamw", "lr": 0.001, "weight_decay": 0.0001}, "schedule": {"name": "cosine", "warmup_epochs": 1.0}, "train": {"epochs": 20, "batch_size": 8, "precision": "auto", "workers": 2}}','ec23105805345255b153444f40ef136a111eca12da253268f8e7664134799edd',NULL,'[]',NULL,'',1.79557764636283969878e+09,NULL,NULL);
CREATE TABLE jobs (
	id INTEGER NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	fold INTEGER NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	reason TEXT, 
	failure VARCHAR(32), 
	priority INTEGER NOT NULL, 
	queued_at FLOAT NOT NULL, 
	finished_at FLOAT, 
	device_s FLOAT NOT NULL, 
	score FLOAT, 
	facts JSON, 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT ck_jobs_kind_known CHECK (kind IN ('debug', 'fold')), 
	CONSTRAINT ck_jobs_state_known CHECK (state IN ('waiting', 'queued', 'running', 'suspect', 'succeeded', 'failed', 'lost', 'cancelled')), 
	CONSTRAINT ck_jobs_fold_not_negative CHECK (fold >= 0), 
	CONSTRAINT fk_jobs_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (id), 
	CONSTRAINT uq_jobs_experiment_id_kind_fold UNIQUE (experiment_id, kind, fold)
);
INSERT INTO "jobs" VALUES(1,1,'debug',0,'succeeded',NULL,NULL,0,1.79557764636555743219e+09,1.79557764639746689789e+09,1.61974430084228515625e-02,NULL,'{}');
INSERT INTO "jobs" VALUES(2,1,'fold',0,'running','on cpu',NULL,0,1795577646.37873,NULL,0.0,NULL,NULL);
INSERT INTO "jobs" VALUES(3,1,'fold',1,'queued','the debug run passed',NULL,0,1.79557764637900400166e+09,NULL,0.0,NULL,NULL);
CREATE TABLE members (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	joined_at FLOAT NOT NULL, 
	CONSTRAINT pk_members PRIMARY KEY (id), 
	CONSTRAINT uq_members_name UNIQUE (name)
);
INSERT INTO "members" VALUES(1,'ann',1.79557764632447195048e+09);
CREATE TABLE roles (
	id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	granted_at FLOAT NOT NULL, 
	revoked_at FLOAT, 
	CONSTRAINT pk_roles PRIMARY KEY (id), 
	CONSTRAINT ck_roles_role_known CHECK (role IN ('lead', 'eda', 'baseline', 'research', 'discussion', 'training', 'ensemble')), 
	CONSTRAINT fk_roles_member_id FOREIGN KEY(member_id) REFERENCES members (id)
);
INSERT INTO "roles" VALUES(1,1,'lead',1.79557764632447195048e+09,NULL);
INSERT INTO "roles" VALUES(2,1,'training',1.79557764632447195048e+09,NULL);
CREATE TABLE splits (
	version INTEGER NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	scheme VARCHAR(32) NOT NULL, 
	folds INTEGER NOT NULL, 
	valid_fraction FLOAT, 
	seed INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	leaks_allowed TEXT, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_splits PRIMARY KEY (version), 
	CONSTRAINT ck_splits_folds_positive CHECK (folds >= 1)
);
INSERT INTO "splits" VALUES(1,'ffffffffffffffff','kfold',2,NULL,42,'hash1',NULL,1.79557764634067845341e+09);
CREATE TABLE submissions (
	id INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	format VARCHAR(16) NOT NULL, 
	path TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	images INTEGER NOT NULL, 
	member TEXT, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_submissions PRIMARY KEY (id)
);
CREATE INDEX ix_events_subject ON events (subject);
CREATE UNIQUE INDEX uq_roles_held ON roles (member_id, role) WHERE revoked_at IS NULL;
CREATE INDEX ix_jobs_state_order ON jobs (state, priority, queued_at);
CREATE UNIQUE INDEX uq_attempts_live_job ON attempts (job_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX uq_attempts_live_slot ON attempts (host, device, slot) WHERE ended_at IS NULL;
COMMIT;
