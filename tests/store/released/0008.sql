BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0008');
CREATE TABLE artifacts (
	job_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_artifacts PRIMARY KEY (job_id, name), 
	CONSTRAINT fk_artifacts_job_id FOREIGN KEY(job_id) REFERENCES jobs (id)
);
INSERT INTO "artifacts" VALUES(20,'log.txt','0000000000000000000000000000000000000000000000000000000000000000');
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
	progress JSON, freed_at FLOAT, failure VARCHAR(32), reason TEXT, log_tail TEXT, result JSON, 
	CONSTRAINT pk_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_attempts_job_id FOREIGN KEY(job_id) REFERENCES jobs (id), 
	CONSTRAINT uq_attempts_token UNIQUE (token)
);
INSERT INTO "attempts" VALUES(1,1,'1891fb68ae8445aeadcad8514557ddb9','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501006713199615e+09,1.79607501006713199615e+09,1.79607501006993842129e+09,'succeeded',NULL,1.79607501006993842129e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(2,2,'71e4e78967524ac68ecd4825e3dd2d29','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501007597637181e+09,1.79607501007597637181e+09,1.79607501007629251485e+09,'succeeded',NULL,1.79607501007629251485e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3,3,'89c954a66ef040b79ffa537488d3d41f','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501007662820812e+09,1.79607501007662820812e+09,1.79607501007687354087e+09,'succeeded',NULL,1.79607501007687354087e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(4,4,'44742c87af18401fb0e9043b4f7ca10b','host','boot',1,1.0,NULL,NULL,'cpu',0,1.7960750100771515369e+09,1.7960750100771515369e+09,1.79607501007736897473e+09,'succeeded',NULL,1.79607501007736897473e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(5,5,'daf6f9b5514c4a37af71bcae6c66505f','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501007762765886e+09,1.79607501007762765886e+09,1.79607501007783818243e+09,'succeeded',NULL,1.79607501007783818243e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(6,6,'02ca87c504dc4ed2b0dba73a37b7aa51','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501007808947565e+09,1.79607501007808947565e+09,1.79607501007830500606e+09,'succeeded',NULL,1.79607501007830500606e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(7,7,'1025957368494f8bb5689679415ecd7b','host','boot',1,1.0,NULL,NULL,'cpu',0,1.7960750100785713196e+09,1.7960750100785713196e+09,1.79607501007879137989e+09,'succeeded',NULL,1.79607501007879137989e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(8,8,'b95172a90f26408e9bd4d1887cce2ca7','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501009299588205e+09,1.79607501009299588205e+09,1.796075010093319416e+09,'succeeded',NULL,1.796075010093319416e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(9,9,'364e064fe9544a08afb5b4810526cbc3','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501009372210508e+09,1.79607501009372210508e+09,1.79607501009395766262e+09,'succeeded',NULL,1.79607501009395766262e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(10,10,'cd5854d6ddfe4bcc9f4ee52102b2ea2e','host','boot',1,1.0,NULL,NULL,'cpu',0,1.7960750100942203998e+09,1.7960750100942203998e+09,1.7960750100944311619e+09,'succeeded',NULL,1.7960750100944311619e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(11,11,'6f98b7ad088146f4b01931ef804eb724','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501011278510093e+09,1.79607501011278510093e+09,1.79607501011311388016e+09,'succeeded',NULL,1.79607501011311388016e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(12,12,'47659de4c46a4bf2b7cd7e0c6024ad2b','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501011352181435e+09,1.79607501011352181435e+09,1.79607501011375904082e+09,'succeeded',NULL,1.79607501011375904082e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(13,13,'2243eac17ed94d96aaf56b0a44e95813','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501011403465273e+09,1.79607501011403465273e+09,1.79607501011424922944e+09,'succeeded',NULL,1.79607501011424922944e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(14,14,'369730be0cea46caaeb9a018b249acd6','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501012627243999e+09,1.79607501012627243999e+09,1.79607501012669897077e+09,'succeeded',NULL,1.79607501012669897077e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(15,15,'55b26380eb014c6e956ade7276aa9269','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501012733125687e+09,1.79607501012733125687e+09,1.79607501012763690951e+09,'succeeded',NULL,1.79607501012763690951e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(16,16,'c4ee531200a04e34b54ee2b72f203805','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501012796521187e+09,1.79607501012796521187e+09,1.7960750101281974315e+09,'succeeded',NULL,1.7960750101281974315e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(17,17,'c50b65f51bbe41e78badab111b6b7f84','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501013963580128e+09,1.79607501013963580128e+09,1.79607501013992261885e+09,'succeeded',NULL,1.79607501013992261885e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(18,18,'84c5c8dc7f1b4b60bf225ce879d59947','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501014029788972e+09,1.79607501014029788972e+09,1.79607501014052343369e+09,'succeeded',NULL,1.79607501014052343369e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(19,19,'1eeaba0047514790aa71da3e8f3daa48','host','boot',1,1.0,NULL,NULL,'cpu',0,1.79607501014079642292e+09,1.79607501014079642292e+09,1.79607501014100909234e+09,'succeeded',NULL,1.79607501014100909234e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(20,20,'bbf7b88767794593ac7b6bd7613341c7','host','boot',1,1.0,NULL,NULL,'gpu0',0,1.79607501017207217214e+09,1.79607501017207217214e+09,1.79607501017240858082e+09,'succeeded',NULL,1.79607501017240858082e+09,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(21,21,'c20e33575304484f80c84f1ef8e19f7b','host','boot',1,1.0,NULL,NULL,'gpu0',0,1.79607501017333555217e+09,1.79607501017333555217e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE baselines (
	version INTEGER NOT NULL, 
	config JSON NOT NULL, 
	config_sha256 VARCHAR(64) NOT NULL, 
	promoted_from INTEGER, 
	member_id INTEGER, 
	forced INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, owner_id INTEGER CONSTRAINT fk_baselines_owner_id REFERENCES members (id), 
	CONSTRAINT pk_baselines PRIMARY KEY (version), 
	CONSTRAINT ck_baselines_forced_is_bool CHECK (forced IN (0, 1)), 
	CONSTRAINT fk_baselines_member_id FOREIGN KEY(member_id) REFERENCES members (id), 
	CONSTRAINT fk_baselines_promoted_from FOREIGN KEY(promoted_from) REFERENCES experiments (id)
);
INSERT INTO "baselines" VALUES(1,'{"seed": 42, "data": {"size": "256x256", "pseudo": "none"}, "model": {"target": null, "architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3, "freeze_epochs": 0}, "augment": {"engine": "albumentations", "pipeline": "basic", "horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2, "policy": "none", "operations": 2, "magnitude": 9, "cutout": 0.0, "cutout_mask": "keep", "gridmask": 0.0, "gridmask_mask": "keep"}, "mix": {"mixup": 0.0, "mixup_alpha": 0.2, "cutmix": 0.0, "cutmix_alpha": 1.0, "copy_paste": 0.0, "stop_epochs": 0}, "sampling": {"order": "shuffle", "rare": [], "rare_crop": 0.0, "crop_scale": 0.5, "sizes": [], "crop": "none"}, "loss": {"cross_entropy": 1.0, "dice": 1.0, "jaccard": 0.0, "tversky": 0.0, "focal": 0.0, "lovasz": 0.0, "mcc": 0.0, "smoothing": 0.0, "ohem": 1.0, "focal_gamma": 2.0, "tversky_beta": 0.7, "class_weights": "none"}, "optimizer": {"name": "adamw", "lr": 0.001, "encoder_lr": null, "weight_decay": 0.0001, "clip_norm": 0.0}, "schedule": {"name": "cosine", "warmup_epochs": 1.0, "plateau_patience": 3}, "train": {"epochs": 20, "batch_size": 8, "precision": "auto", "workers": 2, "accumulate": 1, "average": "none", "average_decay": 0.999, "swa_start": 0.75, "checkpoint": "last", "patience": 0, "batch_norm": "auto", "deterministic": "strict", "compile": false}, "predict": {"tta": "none", "scales": [1.0], "window": "none", "overlap": 0.5}}','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',NULL,NULL,0,1.79607501003639197355e+09,NULL);
CREATE TABLE comparisons (
	experiment_id INTEGER NOT NULL, 
	parent_id INTEGER NOT NULL, 
	se_images FLOAT, 
	units INTEGER NOT NULL, 
	trouble TEXT, delta FLOAT, runs INTEGER, 
	CONSTRAINT pk_comparisons PRIMARY KEY (experiment_id), 
	CONSTRAINT fk_comparisons_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (id), 
	CONSTRAINT fk_comparisons_parent_id FOREIGN KEY(parent_id) REFERENCES experiments (id)
);
INSERT INTO "comparisons" VALUES(2,1,0.003,240,NULL,NULL,NULL);
INSERT INTO "comparisons" VALUES(3,1,0.001,240,NULL,0.005,3);
INSERT INTO "comparisons" VALUES(4,1,0.003,240,NULL,NULL,NULL);
INSERT INTO "comparisons" VALUES(5,1,0.003,240,NULL,NULL,NULL);
CREATE TABLE competition (
	id INTEGER NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	locked_settings JSON, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_competition PRIMARY KEY (id), 
	CONSTRAINT ck_competition_only_one CHECK (id = 1)
);
INSERT INTO "competition" VALUES(1,'ffffffffffffffff',NULL,1.7960750100153346062e+09);
CREATE TABLE ensembles (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	split_version INTEGER NOT NULL, 
	method VARCHAR(16) NOT NULL, 
	weights JSON NOT NULL, 
	score FLOAT NOT NULL, 
	created_at FLOAT NOT NULL, postprocessing JSON, 
	CONSTRAINT pk_ensembles PRIMARY KEY (id), 
	CONSTRAINT fk_ensembles_split_version FOREIGN KEY(split_version) REFERENCES splits (version), 
	CONSTRAINT uq_ensembles_name UNIQUE (name)
);
INSERT INTO "ensembles" VALUES(1,'blend',1,'weights','{"longer": 0.25, "lr-0.002": 0.75}',0.475,1.79607501017398381226e+09,NULL);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	actor TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	action TEXT NOT NULL, 
	why TEXT, 
	CONSTRAINT pk_events PRIMARY KEY (id)
);
INSERT INTO "events" VALUES(1,1.7960750100262026787e+09,'ann','ann','assigned training',NULL);
INSERT INTO "events" VALUES(2,1.79607501002799582485e+09,'bob','bob','assigned training',NULL);
INSERT INTO "events" VALUES(3,1.79607501002997040745e+09,'ann','split v1','split','kfold, 2 folds, seed 42');
INSERT INTO "events" VALUES(4,1.79607501003797960276e+09,'ann','b1','baseline','from baseline.yaml');
INSERT INTO "events" VALUES(5,1.79607501004596853259e+09,'ann','longer','submitted','train.epochs: 20 -> 30');
INSERT INTO "events" VALUES(6,1.79607501005481600764e+09,'ann','longer','debug: queued',NULL);
INSERT INTO "events" VALUES(7,1.79607501005560541156e+09,'ann','longer','fold 0: waiting',NULL);
INSERT INTO "events" VALUES(8,1.79607501005614352222e+09,'ann','longer','fold 1: waiting',NULL);
INSERT INTO "events" VALUES(9,1.79607501005665612216e+09,'ann','longer','fold 0 repeat 1: waiting',NULL);
INSERT INTO "events" VALUES(10,1.79607501005711722372e+09,'ann','longer','fold 1 repeat 1: waiting',NULL);
INSERT INTO "events" VALUES(11,1.79607501005752944944e+09,'ann','longer','fold 0 repeat 2: waiting',NULL);
INSERT INTO "events" VALUES(12,1.7960750100579342842e+09,'ann','longer','fold 1 repeat 2: waiting',NULL);
INSERT INTO "events" VALUES(13,1.7960750100676724911e+09,'host','longer','debug: queued -> running','on cpu');
INSERT INTO "events" VALUES(14,1.79607501006995964052e+09,'host','longer','debug: running -> succeeded',NULL);
INSERT INTO "events" VALUES(15,1.79607501007536649699e+09,'comp','longer','fold 0: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(16,1.79607501007542705532e+09,'comp','longer','fold 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(17,1.79607501007545018192e+09,'comp','longer','fold 0 repeat 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(18,1.79607501007546925542e+09,'comp','longer','fold 1 repeat 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(19,1.79607501007548642159e+09,'comp','longer','fold 0 repeat 2: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(20,1.79607501007550454143e+09,'comp','longer','fold 1 repeat 2: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(21,1.79607501007600951197e+09,'host','longer','fold 0: queued -> running','on cpu');
INSERT INTO "events" VALUES(22,1.79607501007630467417e+09,'host','longer','fold 0: running -> succeeded',NULL);
INSERT INTO "events" VALUES(23,1796075010.07665,'host','longer','fold 1: queued -> running','on cpu');
INSERT INTO "events" VALUES(24,1.79607501007688212394e+09,'host','longer','fold 1: running -> succeeded',NULL);
INSERT INTO "events" VALUES(25,1.79607501007717227934e+09,'host','longer','fold 0 repeat 1: queued -> running','on cpu');
INSERT INTO "events" VALUES(26,1.79607501007737636565e+09,'host','longer','fold 0 repeat 1: running -> succeeded',NULL);
INSERT INTO "events" VALUES(27,1.7960750100776457787e+09,'host','longer','fold 1 repeat 1: queued -> running','on cpu');
INSERT INTO "events" VALUES(28,1.79607501007784509661e+09,'host','longer','fold 1 repeat 1: running -> succeeded',NULL);
INSERT INTO "events" VALUES(29,1.79607501007810664173e+09,'host','longer','fold 0 repeat 2: queued -> running','on cpu');
INSERT INTO "events" VALUES(30,1.79607501007831168171e+09,'host','longer','fold 0 repeat 2: running -> succeeded',NULL);
INSERT INTO "events" VALUES(31,1.79607501007858824724e+09,'host','longer','fold 1 repeat 2: queued -> running','on cpu');
INSERT INTO "events" VALUES(32,1.7960750100787987709e+09,'host','longer','fold 1 repeat 2: running -> succeeded',NULL);
INSERT INTO "events" VALUES(33,1.79607501008787465092e+09,'comp','longer','complete','score 0.4400, mean of 3 seeds');
INSERT INTO "events" VALUES(34,1.79607501009013605119e+09,'ann','lr-0.002','submitted','optimizer.lr: 0.001 -> 0.002');
INSERT INTO "events" VALUES(35,1.7960750100916311741e+09,'ann','lr-0.002','debug: queued',NULL);
INSERT INTO "events" VALUES(36,1.79607501009214949603e+09,'ann','lr-0.002','fold 0: waiting',NULL);
INSERT INTO "events" VALUES(37,1.7960750100925562382e+09,'ann','lr-0.002','fold 1: waiting',NULL);
INSERT INTO "events" VALUES(38,1.7960750100930333137e+09,'host','lr-0.002','debug: queued -> running','on cpu');
INSERT INTO "events" VALUES(39,1.79607501009333252912e+09,'host','lr-0.002','debug: running -> succeeded',NULL);
INSERT INTO "events" VALUES(40,1.79607501009344553951e+09,'comp','lr-0.002','fold 0: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(41,1.79607501009347081183e+09,'comp','lr-0.002','fold 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(42,1.79607501009374403953e+09,'host','lr-0.002','fold 0: queued -> running','on cpu');
INSERT INTO "events" VALUES(43,1.79607501009396505354e+09,'host','lr-0.002','fold 0: running -> succeeded',NULL);
INSERT INTO "events" VALUES(44,1.79607501009423923491e+09,'host','lr-0.002','fold 1: queued -> running','on cpu');
INSERT INTO "events" VALUES(45,1.79607501009443807594e+09,'host','lr-0.002','fold 1: running -> succeeded',NULL);
INSERT INTO "events" VALUES(46,1.79607501010067701339e+09,'comp','lr-0.002','complete','score 0.4700');
INSERT INTO "events" VALUES(47,1.79607501010623478885e+09,'ann','tta-hflip','submitted','predict.tta: none -> hflip');
INSERT INTO "events" VALUES(48,1.79607501011136317251e+09,'ann','tta-hflip','debug: queued',NULL);
INSERT INTO "events" VALUES(49,1.79607501011189603801e+09,'ann','tta-hflip','fold 0: waiting',NULL);
INSERT INTO "events" VALUES(50,1796075010.1123,'ann','tta-hflip','fold 1: waiting',NULL);
INSERT INTO "events" VALUES(51,1.79607501011282157899e+09,'host','tta-hflip','debug: queued -> running','on cpu');
INSERT INTO "events" VALUES(52,1.79607501011312532422e+09,'host','tta-hflip','debug: running -> succeeded',NULL);
INSERT INTO "events" VALUES(53,1.7960750101132383346e+09,'comp','tta-hflip','fold 0: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(54,1.79607501011326289178e+09,'comp','tta-hflip','fold 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(55,1.79607501011354541778e+09,'host','tta-hflip','fold 0: queued -> running','on cpu');
INSERT INTO "events" VALUES(56,1.79607501011376690866e+09,'host','tta-hflip','fold 0: running -> succeeded',NULL);
INSERT INTO "events" VALUES(57,1.7960750101140534878e+09,'host','tta-hflip','fold 1: queued -> running','on cpu');
INSERT INTO "events" VALUES(58,1.79607501011425614361e+09,'host','tta-hflip','fold 1: running -> succeeded',NULL);
INSERT INTO "events" VALUES(59,1.79607501011601376535e+09,'comp','tta-hflip','complete','score 0.4450');
INSERT INTO "events" VALUES(60,1.79607501012324094775e+09,'ann','dice-0.5','submitted','loss.dice: 1.0 -> 0.5');
INSERT INTO "events" VALUES(61,1.79607501012463474272e+09,'ann','dice-0.5','debug: queued',NULL);
INSERT INTO "events" VALUES(62,1.79607501012511110299e+09,'ann','dice-0.5','fold 0: waiting',NULL);
INSERT INTO "events" VALUES(63,1.79607501012558913233e+09,'ann','dice-0.5','fold 1: waiting',NULL);
INSERT INTO "events" VALUES(64,1.79607501012631630898e+09,'host','dice-0.5','debug: queued -> running','on cpu');
INSERT INTO "events" VALUES(65,1.79607501012671327595e+09,'host','dice-0.5','debug: running -> succeeded',NULL);
INSERT INTO "events" VALUES(66,1.7960750101268475056e+09,'comp','dice-0.5','fold 0: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(67,1.79607501012687611587e+09,'comp','dice-0.5','fold 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(68,1.79607501012736153604e+09,'host','dice-0.5','fold 0: queued -> running','on cpu');
INSERT INTO "events" VALUES(69,1.79607501012764763834e+09,'host','dice-0.5','fold 0: running -> succeeded',NULL);
INSERT INTO "events" VALUES(70,1.79607501012798714641e+09,'host','dice-0.5','fold 1: queued -> running','on cpu');
INSERT INTO "events" VALUES(71,1.79607501012820434567e+09,'host','dice-0.5','fold 1: running -> succeeded',NULL);
INSERT INTO "events" VALUES(72,1.79607501013021421433e+09,'comp','dice-0.5','complete','score 0.4410');
INSERT INTO "events" VALUES(73,1.79607501013736987113e+09,'ann','vertical_flip-0.5','submitted','augment.vertical_flip: 0.0 -> 0.5');
INSERT INTO "events" VALUES(74,1.7960750101383082867e+09,'ann','vertical_flip-0.5','debug: queued',NULL);
INSERT INTO "events" VALUES(75,1.79607501013872742647e+09,'ann','vertical_flip-0.5','fold 0: waiting',NULL);
INSERT INTO "events" VALUES(76,1.79607501013917493816e+09,'ann','vertical_flip-0.5','fold 1: waiting',NULL);
INSERT INTO "events" VALUES(77,1.79607501013967108729e+09,'host','vertical_flip-0.5','debug: queued -> running','on cpu');
INSERT INTO "events" VALUES(78,1.79607501013993287085e+09,'host','vertical_flip-0.5','debug: running -> succeeded',NULL);
INSERT INTO "events" VALUES(79,1.79607501014004206658e+09,'comp','vertical_flip-0.5','fold 0: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(80,1.79607501014006662367e+09,'comp','vertical_flip-0.5','fold 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(81,1.79607501014031839372e+09,'host','vertical_flip-0.5','fold 0: queued -> running','on cpu');
INSERT INTO "events" VALUES(82,1.79607501014053177828e+09,'host','vertical_flip-0.5','fold 0: running -> succeeded',NULL);
INSERT INTO "events" VALUES(83,1.79607501014081525798e+09,'host','vertical_flip-0.5','fold 1: queued -> running','on cpu');
INSERT INTO "events" VALUES(84,1.79607501014101600652e+09,'host','vertical_flip-0.5','fold 1: running -> succeeded',NULL);
INSERT INTO "events" VALUES(85,1796075010.14918,'comp','vertical_flip-0.5','complete','score 0.4000');
INSERT INTO "events" VALUES(86,1.79607501015854954719e+09,'ann','b1','submitted','the baseline itself');
INSERT INTO "events" VALUES(87,1.79607501016635465618e+09,'ann','b1','debug: queued',NULL);
INSERT INTO "events" VALUES(88,1.7960750101668844223e+09,'ann','b1','fold 0: waiting',NULL);
INSERT INTO "events" VALUES(89,1796075010.17154,'ann','b1','fold 1: waiting',NULL);
INSERT INTO "events" VALUES(90,1.79607501017211365701e+09,'host','b1','debug: queued -> running','on gpu0');
INSERT INTO "events" VALUES(91,1.79607501017241978644e+09,'host','b1','debug: running -> succeeded',NULL);
INSERT INTO "events" VALUES(92,1.79607501017296528815e+09,'comp','b1','fold 0: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(93,1.79607501017300248149e+09,'comp','b1','fold 1: waiting -> queued','the debug run passed');
INSERT INTO "events" VALUES(94,1.79607501017336106301e+09,'host','b1','fold 0: queued -> running','on gpu0');
INSERT INTO "events" VALUES(95,1.79607501017460370064e+09,'ann','blend','ensemble weights','longer 0.25, lr-0.002 0.75');
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
	class_iou JSON, seed_spread FLOAT, seed_by_image FLOAT, seed_df FLOAT, repeat_scores JSON, 
	CONSTRAINT pk_experiments PRIMARY KEY (id), 
	CONSTRAINT fk_experiments_member_id FOREIGN KEY(member_id) REFERENCES members (id), 
	CONSTRAINT fk_experiments_split_version FOREIGN KEY(split_version) REFERENCES splits (version), 
	CONSTRAINT uq_experiments_config_sha256_split_version UNIQUE (config_sha256, split_version), 
	CONSTRAINT uq_experiments_name UNIQUE (name)
);
INSERT INTO "experiments" VALUES(1,'longer',1,1,1,'{"seed": 42, "data": {"size": "256x256", "pseudo": "none"}, "model": {"target": null, "architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3, "freeze_epochs": 0}, "augment": {"engine": "albumentations", "pipeline": "basic", "horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2, "policy": "none", "operations": 2, "magnitude": 9, "cutout": 0.0, "cutout_mask": "keep", "gridmask": 0.0, "gridmask_mask": "keep"}, "mix": {"mixup": 0.0, "mixup_alpha": 0.2, "cutmix": 0.0, "cutmix_alpha": 1.0, "copy_paste": 0.0, "stop_epochs": 0}, "sampling": {"order": "shuffle", "rare": [], "rare_crop": 0.0, "crop_scale": 0.5, "sizes": [], "crop": "none"}, "loss": {"cross_entropy": 1.0, "dice": 1.0, "jaccard": 0.0, "tversky": 0.0, "focal": 0.0, "lovasz": 0.0, "mcc": 0.0, "smoothing": 0.0, "ohem": 1.0, "focal_gamma": 2.0, "tversky_beta": 0.7, "class_weights": "none"}, "optimizer": {"name": "adamw", "lr": 0.001, "encoder_lr": null, "weight_decay": 0.0001, "clip_norm": 0.0}, "schedule": {"name": "cosine", "warmup_epochs": 1.0, "plateau_patience": 3}, "train": {"epochs": 30, "batch_size": 8, "precision": "auto", "workers": 2, "accumulate": 1, "average": "none", "average_decay": 0.999, "swa_start": 0.75, "checkpoint": "last", "patience": 0, "batch_norm": "auto", "deterministic": "strict", "compile": false}, "predict": {"tta": "none", "scales": [1.0], "window": "none", "overlap": 0.5}}','a40d24522dac25a99341be4ebb87b5108f189bc411238c4607d8cd3f3130f7bf','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','[{"key": "train.epochs", "old": 20, "new": 30}]',NULL,'',1.79607501004087209703e+09,0.44,'[0.44, null]',0.004,0.002,4.0,'{"0": 0.438, "1": 0.44, "2": 0.442}');
INSERT INTO "experiments" VALUES(2,'lr-0.002',1,1,1,'{"seed": 42, "data": {"size": "256x256", "pseudo": "none"}, "model": {"target": null, "architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3, "freeze_epochs": 0}, "augment": {"engine": "albumentations", "pipeline": "basic", "horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2, "policy": "none", "operations": 2, "magnitude": 9, "cutout": 0.0, "cutout_mask": "keep", "gridmask": 0.0, "gridmask_mask": "keep"}, "mix": {"mixup": 0.0, "mixup_alpha": 0.2, "cutmix": 0.0, "cutmix_alpha": 1.0, "copy_paste": 0.0, "stop_epochs": 0}, "sampling": {"order": "shuffle", "rare": [], "rare_crop": 0.0, "crop_scale": 0.5, "sizes": [], "crop": "none"}, "loss": {"cross_entropy": 1.0, "dice": 1.0, "jaccard": 0.0, "tversky": 0.0, "focal": 0.0, "lovasz": 0.0, "mcc": 0.0, "smoothing": 0.0, "ohem": 1.0, "focal_gamma": 2.0, "tversky_beta": 0.7, "class_weights": "none"}, "optimizer": {"name": "adamw", "lr": 0.002, "encoder_lr": null, "weight_decay": 0.0001, "clip_norm": 0.0}, "schedule": {"name": "cosine", "warmup_epochs": 1.0, "plateau_patience": 3}, "train": {"epochs": 30, "batch_size": 8, "precision": "auto", "workers": 2, "accumulate": 1, "average": "none", "average_decay": 0.999, "swa_start": 0.75, "checkpoint": "last", "patience": 0, "batch_norm": "auto", "deterministic": "strict", "compile": false}, "predict": {"tta": "none", "scales": [1.0], "window": "none", "overlap": 0.5}}','8342e9f94930050a404f339d3570ddfdb9ce004ca5f64435b7b8795359ddd0a3','a40d24522dac25a99341be4ebb87b5108f189bc411238c4607d8cd3f3130f7bf','[{"key": "optimizer.lr", "old": 0.001, "new": 0.002}]',NULL,'',1.79607501008978772162e+09,0.47,'[0.47, null]',NULL,NULL,NULL,'{"0": 0.47}');
INSERT INTO "experiments" VALUES(3,'tta-hflip',2,1,1,'{"seed": 42, "data": {"size": "256x256", "pseudo": "none"}, "model": {"target": null, "architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3, "freeze_epochs": 0}, "augment": {"engine": "albumentations", "pipeline": "basic", "horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2, "policy": "none", "operations": 2, "magnitude": 9, "cutout": 0.0, "cutout_mask": "keep", "gridmask": 0.0, "gridmask_mask": "keep"}, "mix": {"mixup": 0.0, "mixup_alpha": 0.2, "cutmix": 0.0, "cutmix_alpha": 1.0, "copy_paste": 0.0, "stop_epochs": 0}, "sampling": {"order": "shuffle", "rare": [], "rare_crop": 0.0, "crop_scale": 0.5, "sizes": [], "crop": "none"}, "loss": {"cross_entropy": 1.0, "dice": 1.0, "jaccard": 0.0, "tversky": 0.0, "focal": 0.0, "lovasz": 0.0, "mcc": 0.0, "smoothing": 0.0, "ohem": 1.0, "focal_gamma": 2.0, "tversky_beta": 0.7, "class_weights": "none"}, "optimizer": {"name": "adamw", "lr": 0.001, "encoder_lr": null, "weight_decay": 0.0001, "clip_norm": 0.0}, "schedule": {"name": "cosine", "warmup_epochs": 1.0, "plateau_patience": 3}, "train": {"epochs": 30, "batch_size": 8, "precision": "auto", "workers": 2, "accumulate": 1, "average": "none", "average_decay": 0.999, "swa_start": 0.75, "checkpoint": "last", "patience": 0, "batch_norm": "auto", "deterministic": "strict", "compile": false}, "predict": {"tta": "hflip", "scales": [1.0], "window": "none", "overlap": 0.5}}','03e6f54f614902fc271193e6d99a92c0448cc6c18eff8f46c441d8e4a201e167','a40d24522dac25a99341be4ebb87b5108f189bc411238c4607d8cd3f3130f7bf','[{"key": "predict.tta", "old": "none", "new": "hflip"}]',NULL,'',1.79607501010442161554e+09,0.445,'[0.445, null]',NULL,NULL,NULL,'{"0": 0.445}');
INSERT INTO "experiments" VALUES(4,'dice-0.5',2,1,1,'{"seed": 42, "data": {"size": "256x256", "pseudo": "none"}, "model": {"target": null, "architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3, "freeze_epochs": 0}, "augment": {"engine": "albumentations", "pipeline": "basic", "horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2, "policy": "none", "operations": 2, "magnitude": 9, "cutout": 0.0, "cutout_mask": "keep", "gridmask": 0.0, "gridmask_mask": "keep"}, "mix": {"mixup": 0.0, "mixup_alpha": 0.2, "cutmix": 0.0, "cutmix_alpha": 1.0, "copy_paste": 0.0, "stop_epochs": 0}, "sampling": {"order": "shuffle", "rare": [], "rare_crop": 0.0, "crop_scale": 0.5, "sizes": [], "crop": "none"}, "loss": {"cross_entropy": 1.0, "dice": 0.5, "jaccard": 0.0, "tversky": 0.0, "focal": 0.0, "lovasz": 0.0, "mcc": 0.0, "smoothing": 0.0, "ohem": 1.0, "focal_gamma": 2.0, "tversky_beta": 0.7, "class_weights": "none"}, "optimizer": {"name": "adamw", "lr": 0.001, "encoder_lr": null, "weight_decay": 0.0001, "clip_norm": 0.0}, "schedule": {"name": "cosine", "warmup_epochs": 1.0, "plateau_patience": 3}, "train": {"epochs": 30, "batch_size": 8, "precision": "auto", "workers": 2, "accumulate": 1, "average": "none", "average_decay": 0.999, "swa_start": 0.75, "checkpoint": "last", "patience": 0, "batch_norm": "auto", "deterministic": "strict", "compile": false}, "predict": {"tta": "none", "scales": [1.0], "window": "none", "overlap": 0.5}}','d18960e3c2f806ae1881b8b9179c8a2c6f03ff885515317a719d25428629830e','a40d24522dac25a99341be4ebb87b5108f189bc411238c4607d8cd3f3130f7bf','[{"key": "loss.dice", "old": 1.0, "new": 0.5}]',NULL,'',1.79607501011874246595e+09,0.441,'[0.441, null]',NULL,NULL,NULL,'{"0": 0.441}');
INSERT INTO "experiments" VALUES(5,'vertical_flip-0.5',1,1,1,'{"seed": 42, "data": {"size": "256x256", "pseudo": "none"}, "model": {"target": null, "architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3, "freeze_epochs": 0}, "augment": {"engine": "albumentations", "pipeline": "basic", "horizontal_flip": 0.5, "vertical_flip": 0.5, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2, "policy": "none", "operations": 2, "magnitude": 9, "cutout": 0.0, "cutout_mask": "keep", "gridmask": 0.0, "gridmask_mask": "keep"}, "mix": {"mixup": 0.0, "mixup_alpha": 0.2, "cutmix": 0.0, "cutmix_alpha": 1.0, "copy_paste": 0.0, "stop_epochs": 0}, "sampling": {"order": "shuffle", "rare": [], "rare_crop": 0.0, "crop_scale": 0.5, "sizes": [], "crop": "none"}, "loss": {"cross_entropy": 1.0, "dice": 1.0, "jaccard": 0.0, "tversky": 0.0, "focal": 0.0, "lovasz": 0.0, "mcc": 0.0, "smoothing": 0.0, "ohem": 1.0, "focal_gamma": 2.0, "tversky_beta": 0.7, "class_weights": "none"}, "optimizer": {"name": "adamw", "lr": 0.001, "encoder_lr": null, "weight_decay": 0.0001, "clip_norm": 0.0}, "schedule": {"name": "cosine", "warmup_epochs": 1.0, "plateau_patience": 3}, "train": {"epochs": 30, "batch_size": 8, "precision": "auto", "workers": 2, "accumulate": 1, "average": "none", "average_decay": 0.999, "swa_start": 0.75, "checkpoint": "last", "patience": 0, "batch_norm": "auto", "deterministic": "strict", "compile": false}, "predict": {"tta": "none", "scales": [1.0], "window": "none", "overlap": 0.5}}','00cf64b380b847644569f0629c37f0cb0f7f76e7e5218d2b450de8d79e1fd3c0','a40d24522dac25a99341be4ebb87b5108f189bc411238c4607d8cd3f3130f7bf','[{"key": "augment.vertical_flip", "old": 0.0, "new": 0.5}]',NULL,'',1.796075010137087822e+09,0.4,'[0.4, null]',NULL,NULL,NULL,'{"0": 0.4}');
INSERT INTO "experiments" VALUES(6,'b1',1,1,1,'{"seed": 42, "data": {"size": "256x256", "pseudo": "none"}, "model": {"target": null, "architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3, "freeze_epochs": 0}, "augment": {"engine": "albumentations", "pipeline": "basic", "horizontal_flip": 0.5, "vertical_flip": 0.0, "brightness_contrast": 0.5, "brightness": 0.2, "contrast": 0.2, "policy": "none", "operations": 2, "magnitude": 9, "cutout": 0.0, "cutout_mask": "keep", "gridmask": 0.0, "gridmask_mask": "keep"}, "mix": {"mixup": 0.0, "mixup_alpha": 0.2, "cutmix": 0.0, "cutmix_alpha": 1.0, "copy_paste": 0.0, "stop_epochs": 0}, "sampling": {"order": "shuffle", "rare": [], "rare_crop": 0.0, "crop_scale": 0.5, "sizes": [], "crop": "none"}, "loss": {"cross_entropy": 1.0, "dice": 1.0, "jaccard": 0.0, "tversky": 0.0, "focal": 0.0, "lovasz": 0.0, "mcc": 0.0, "smoothing": 0.0, "ohem": 1.0, "focal_gamma": 2.0, "tversky_beta": 0.7, "class_weights": "none"}, "optimizer": {"name": "adamw", "lr": 0.001, "encoder_lr": null, "weight_decay": 0.0001, "clip_norm": 0.0}, "schedule": {"name": "cosine", "warmup_epochs": 1.0, "plateau_patience": 3}, "train": {"epochs": 20, "batch_size": 8, "precision": "auto", "workers": 2, "accumulate": 1, "average": "none", "average_decay": 0.999, "swa_start": 0.75, "checkpoint": "last", "patience": 0, "batch_norm": "auto", "deterministic": "strict", "compile": false}, "predict": {"tta": "none", "scales": [1.0], "window": "none", "overlap": 0.5}}','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',NULL,'[]',NULL,'',1.79607501015823817257e+09,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE ideas (
	id INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	source TEXT, 
	member_id INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_ideas PRIMARY KEY (id), 
	CONSTRAINT fk_ideas_member_id FOREIGN KEY(member_id) REFERENCES members (id)
);
CREATE TABLE "jobs" (
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
	repeat INTEGER DEFAULT '0' NOT NULL, member_id INTEGER CONSTRAINT fk_jobs_member_id REFERENCES members (id), shape VARCHAR(16), memory_mib INTEGER, failures INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT fk_jobs_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (id), 
	CONSTRAINT ck_jobs_kind_known CHECK (kind IN ('debug', 'fold')), 
	CONSTRAINT ck_jobs_fold_not_negative CHECK (fold >= 0), 
	CONSTRAINT ck_jobs_state_known CHECK (state IN ('waiting', 'queued', 'running', 'suspect', 'succeeded', 'failed', 'lost', 'cancelled')), 
	CONSTRAINT ck_jobs_repeat_not_negative CHECK (repeat >= 0), 
	CONSTRAINT uq_jobs_experiment_id_kind_fold_repeat UNIQUE (experiment_id, kind, fold, repeat)
);
INSERT INTO "jobs" VALUES(1,1,'debug',0,'succeeded',NULL,NULL,0,1.79607501005392694473e+09,1.79607501006995964052e+09,2.8064250946044921875e-03,0.44,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(2,1,'fold',0,'succeeded',NULL,NULL,0,1.79607501005527448647e+09,1.79607501007630467417e+09,3.16143035888671875e-04,0.44,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(3,1,'fold',1,'succeeded',NULL,NULL,0,1.79607501005592608452e+09,1.79607501007688212394e+09,2.453327178955078125e-04,0.44,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(4,1,'fold',0,'succeeded',NULL,NULL,0,1.79607501005644464497e+09,1.79607501007737636565e+09,0.000217437744140625,0.44,'{}',1,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(5,1,'fold',1,'succeeded',NULL,NULL,0,1.79607501005692315101e+09,1.79607501007784509661e+09,2.105236053466796875e-04,0.44,'{}',1,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(6,1,'fold',0,'succeeded',NULL,NULL,0,1.79607501005734539025e+09,1.79607501007831168171e+09,2.155303955078125e-04,0.44,'{}',2,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(7,1,'fold',1,'succeeded',NULL,NULL,0,1.7960750100577476025e+09,1.7960750100787987709e+09,2.200603485107421875e-04,0.44,'{}',2,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(8,2,'debug',0,'succeeded',NULL,NULL,0,1.79607501009133696556e+09,1.79607501009333252912e+09,3.235340118408203125e-04,0.47,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(9,2,'fold',0,'succeeded',NULL,NULL,0,1.79607501009193181989e+09,1.79607501009396505354e+09,2.3555755615234375e-04,0.47,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(10,2,'fold',1,'succeeded',NULL,NULL,0,1.79607501009236812596e+09,1.79607501009443807594e+09,2.1076202392578125e-04,0.47,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(11,3,'debug',0,'succeeded',NULL,NULL,0,1.79607501011102867129e+09,1.79607501011312532422e+09,3.287792205810546875e-04,0.445,'{}',0,2,'558be302568f8763',NULL,0);
INSERT INTO "jobs" VALUES(12,3,'fold',0,'succeeded',NULL,NULL,0,1.79607501011168479922e+09,1.79607501011376690866e+09,2.372264862060546875e-04,0.445,'{}',0,2,'558be302568f8763',NULL,0);
INSERT INTO "jobs" VALUES(13,3,'fold',1,'succeeded',NULL,NULL,0,1.7960750101121172905e+09,1.79607501011425614361e+09,2.1457672119140625e-04,0.445,'{}',0,2,'558be302568f8763',NULL,0);
INSERT INTO "jobs" VALUES(14,4,'debug',0,'succeeded',NULL,NULL,0,1.79607501012436223024e+09,1.79607501012671327595e+09,4.265308380126953125e-04,0.441,'{}',0,2,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(15,4,'fold',0,'succeeded',NULL,NULL,0,1.79607501012489891058e+09,1.79607501012764763834e+09,3.05652618408203125e-04,0.441,'{}',0,2,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(16,4,'fold',1,'succeeded',NULL,NULL,0,1.79607501012536883346e+09,1.79607501012820434567e+09,2.32219696044921875e-04,0.441,'{}',0,2,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(17,5,'debug',0,'succeeded',NULL,NULL,0,1.79607501013806653022e+09,1.79607501013993287085e+09,2.868175506591796875e-04,0.4,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(18,5,'fold',0,'succeeded',NULL,NULL,0,1.79607501013853049273e+09,1.79607501014053177828e+09,2.25543975830078125e-04,0.4,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(19,5,'fold',1,'succeeded',NULL,NULL,0,1.79607501013891720769e+09,1.79607501014101600652e+09,2.1266937255859375e-04,0.4,'{}',0,1,'50c4be70793ac9a6',NULL,0);
INSERT INTO "jobs" VALUES(20,6,'debug',0,'succeeded',NULL,NULL,0,1.79607501016605567928e+09,1.79607501017241978644e+09,3.364086151123046875e-04,NULL,'{}',0,1,'730ef365cf4de056',NULL,0);
INSERT INTO "jobs" VALUES(21,6,'fold',0,'running','on gpu0',NULL,0,1.79607501016665339465e+09,NULL,0.0,NULL,NULL,0,1,'730ef365cf4de056',NULL,0);
INSERT INTO "jobs" VALUES(22,6,'fold',1,'queued','the debug run passed',NULL,0,1.79607501017129015923e+09,NULL,0.0,NULL,NULL,0,1,'730ef365cf4de056',NULL,0);
CREATE TABLE members (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	joined_at FLOAT NOT NULL, usage_s FLOAT DEFAULT '0' NOT NULL, usage_at FLOAT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_members PRIMARY KEY (id), 
	CONSTRAINT uq_members_name UNIQUE (name)
);
INSERT INTO "members" VALUES(1,'ann',1.79607501002317285535e+09,6.06274198418792903408e-03,1.79607501017240858082e+09);
INSERT INTO "members" VALUES(2,'bob',1.79607501002710294728e+09,1.74498548266765855785e-03,1.7960750101281974315e+09);
CREATE TABLE pauses (
	id INTEGER NOT NULL, 
	scope VARCHAR(12) NOT NULL, 
	member_id INTEGER, 
	experiment_id INTEGER, 
	stops INTEGER NOT NULL, 
	actor TEXT NOT NULL, 
	since FLOAT NOT NULL, 
	CONSTRAINT pk_pauses PRIMARY KEY (id), 
	CONSTRAINT ck_pauses_scope_known CHECK (scope IN ('queue', 'member', 'experiment')), 
	CONSTRAINT ck_pauses_stops_is_bool CHECK (stops IN (0, 1)), 
	CONSTRAINT fk_pauses_member_id FOREIGN KEY(member_id) REFERENCES members (id), 
	CONSTRAINT fk_pauses_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (id)
);
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
INSERT INTO "roles" VALUES(1,1,'training',1.79607501002317285535e+09,NULL);
INSERT INTO "roles" VALUES(2,2,'training',1.79607501002710294728e+09,NULL);
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
INSERT INTO "splits" VALUES(1,'ffffffffffffffff','kfold',2,NULL,42,'hash1',NULL,1.79607501002833151813e+09);
CREATE TABLE submissions (
	id INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	format VARCHAR(16) NOT NULL, 
	path TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	images INTEGER NOT NULL, 
	member TEXT, 
	created_at FLOAT NOT NULL, split_version INTEGER, cv FLOAT, weights JSON, public_score FLOAT, private_score FLOAT, uploaded_to TEXT, 
	CONSTRAINT pk_submissions PRIMARY KEY (id)
);
CREATE TABLE trials (
	idea_id INTEGER NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	CONSTRAINT pk_trials PRIMARY KEY (idea_id, experiment_id), 
	CONSTRAINT fk_trials_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (id), 
	CONSTRAINT fk_trials_idea_id FOREIGN KEY(idea_id) REFERENCES ideas (id)
);
CREATE INDEX ix_events_subject ON events (subject);
CREATE UNIQUE INDEX uq_roles_held ON roles (member_id, role) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX uq_attempts_live_job ON attempts (job_id) WHERE ended_at IS NULL;
CREATE INDEX ix_submissions_sha256 ON submissions (sha256);
CREATE INDEX ix_jobs_order ON jobs (state, member_id, priority, queued_at);
CREATE INDEX ix_jobs_shape ON jobs (shape, kind, state);
CREATE INDEX ix_attempts_job ON attempts (job_id);
CREATE UNIQUE INDEX uq_attempts_live_slot ON attempts (host, device, slot) WHERE freed_at IS NULL;
CREATE INDEX ix_experiments_ranking ON experiments (split_version, score);
COMMIT;
