BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE battle (
	battle_id TEXT NOT NULL, 
	schema_version BIGINT NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	voter_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	source TEXT NOT NULL, 
	query_id TEXT NOT NULL, 
	query_group_id TEXT NOT NULL, 
	query_sha256 TEXT, 
	query_genre TEXT, 
	left_system_id TEXT NOT NULL, 
	left_system_version TEXT NOT NULL, 
	left_alpha DOUBLE, 
	left_item_id TEXT NOT NULL, 
	left_item_group_id TEXT NOT NULL, 
	left_rank BIGINT NOT NULL, 
	left_score DOUBLE NOT NULL, 
	left_excerpt_start_s DOUBLE NOT NULL, 
	left_gain_db DOUBLE NOT NULL, 
	left_item_prob DOUBLE NOT NULL, 
	right_system_id TEXT NOT NULL, 
	right_system_version TEXT NOT NULL, 
	right_alpha DOUBLE, 
	right_item_id TEXT NOT NULL, 
	right_item_group_id TEXT NOT NULL, 
	right_rank BIGINT NOT NULL, 
	right_score DOUBLE NOT NULL, 
	right_excerpt_start_s DOUBLE NOT NULL, 
	right_gain_db DOUBLE NOT NULL, 
	right_item_prob DOUBLE NOT NULL, 
	pool_version TEXT NOT NULL, 
	pool_size BIGINT NOT NULL, 
	policy_id TEXT NOT NULL, 
	pair_prob DOUBLE NOT NULL, 
	slot_prob DOUBLE NOT NULL, 
	seed BIGINT NOT NULL, 
	needed_ms BIGINT NOT NULL, 
	gold_answer TEXT, 
	repeat_of TEXT, 
	study_id TEXT, 
	ui_version TEXT NOT NULL, 
	PRIMARY KEY (battle_id)
);
INSERT INTO "battle" VALUES('01a227b7-ce49-7000-b161-9fe330a63f00',1,1790000040000,'voter-0','s','v2m','regular','demo','video-0','source-0',NULL,'rock','mvbind','1',NULL,'track-0','group-0',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-20','group-20',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,0,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-ce73-7000-8044-00714299d0a2',1,1790000080000,'voter-0','s','v2m','regular','demo','video-1','source-0',NULL,'rock','random','1',NULL,'track-1','group-1',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-21','group-21',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,1,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-ce97-7000-98c6-442af326bcaa',1,1790000120000,'voter-0','s','v2m','regular','demo','video-2','source-1',NULL,'rock','random','1',NULL,'track-2','group-2',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-22','group-22',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,2,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-ce9d-7000-b631-d028689ace94',1,1790000160000,'voter-0','s','v2m','regular','demo','video-3','source-1',NULL,'rock','mvbind','1',NULL,'track-3','group-3',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-23','group-23',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,3,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cea0-7000-8acd-40e8ccd4eaaf',1,1790000200000,'voter-0','s','v2m','gold','demo','video-4','source-2',NULL,'rock','cca','1',NULL,'track-4','group-4',1,0.5,0.0,0.0,1.0,'','1',NULL,'track-24','group-24',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,4,5000,'left',NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cea2-7000-b8eb-e3c0b2447537',1,1790000240000,'voter-0','s','v2m','regular','demo','video-5','source-2',NULL,'rock','cca','1',NULL,'track-5','group-5',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-25','group-25',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,5,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cea3-7000-a509-4e434e727a25',1,1790000280000,'voter-0','s','v2m','regular','demo','video-6','source-3',NULL,'rock','random','1',NULL,'track-6','group-6',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-26','group-26',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,6,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cea4-7000-855e-1c30e79c51ad',1,1790000320000,'voter-0','s','v2m','regular','demo','video-7','source-3',NULL,'rock','cca','1',NULL,'track-7','group-7',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-27','group-27',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,7,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cea7-7000-97c3-66c5869803b6',1,1790000366000,'voter-0','s','v2m','regular','demo','video-8','source-4',NULL,'rock','mvbind','1',NULL,'track-8','group-8',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-28','group-28',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,8,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cea8-7001-b0b7-7423e4f6a50e',1,1790000406000,'voter-0','s','v2m','regular','demo','video-9','source-4',NULL,'rock','random','1',NULL,'track-9','group-9',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-29','group-29',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,9,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-ceb7-7000-9b1c-c39244005196',1,1790000448000,'voter-0','s','v2m','regular','demo','video-10','source-5',NULL,'rock','random','1',NULL,'track-10','group-10',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-30','group-30',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,10,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cec8-7000-9ac3-d6a3d9132349',1,1790000488000,'voter-0','s','v2m','regular','demo','video-11','source-5',NULL,'rock','cca','1',NULL,'track-11','group-11',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-31','group-31',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,11,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-ceef-7000-99da-df1435402356',1,1790000548000,'voter-1','s','v2m','regular','demo','video-0','source-0',NULL,'rock','random','1',NULL,'track-0','group-0',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-20','group-20',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,0,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cf03-7000-8303-56a5dbe94038',1,1790000588000,'voter-1','s','v2m','regular','demo','video-1','source-0',NULL,'rock','mvbind','1',NULL,'track-1','group-1',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-21','group-21',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,1,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cf23-7000-8049-b51429685855',1,1790000628000,'voter-1','s','v2m','regular','demo','video-2','source-1',NULL,'rock','random','1',NULL,'track-2','group-2',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-22','group-22',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,2,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cf3b-7000-ba45-2c0af9a159cc',1,1790000668000,'voter-1','s','v2m','regular','demo','video-3','source-1',NULL,'rock','mvbind','1',NULL,'track-3','group-3',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-23','group-23',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,3,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cf53-7000-832e-76c47a55d247',1,1790000708000,'voter-1','s','v2m','gold','demo','video-4','source-2',NULL,'rock','mvbind','1',NULL,'track-4','group-4',1,0.5,0.0,0.0,1.0,'','1',NULL,'track-24','group-24',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,4,5000,'left',NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cf6f-7000-9adf-fdb5b083545a',1,1790000748000,'voter-1','s','v2m','regular','demo','video-5','source-2',NULL,'rock','cca','1',NULL,'track-5','group-5',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-25','group-25',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,5,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cf8b-7000-8750-142760c264a4',1,1790000788000,'voter-1','s','v2m','regular','demo','video-6','source-3',NULL,'rock','mvbind','1',NULL,'track-6','group-6',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-26','group-26',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,6,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cfab-7000-aed2-51d0bcdb9d61',1,1790000828000,'voter-1','s','v2m','regular','demo','video-7','source-3',NULL,'rock','random','1',NULL,'track-7','group-7',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-27','group-27',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,7,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cfdb-7000-8e73-311cec80883d',1,1790000874000,'voter-1','s','v2m','regular','demo','video-8','source-4',NULL,'rock','mvbind','1',NULL,'track-8','group-8',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-28','group-28',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,8,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-cffb-7000-bc32-4e5d81fbe171',1,1790000914000,'voter-1','s','v2m','regular','demo','video-9','source-4',NULL,'rock','random','1',NULL,'track-9','group-9',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-29','group-29',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,9,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d02f-7000-bf21-ef656556f3c0',1,1790000956000,'voter-1','s','v2m','regular','demo','video-10','source-5',NULL,'rock','cca','1',NULL,'track-10','group-10',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-30','group-30',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,10,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d047-7000-bc03-155327631bd5',1,1790000996000,'voter-1','s','v2m','regular','demo','video-11','source-5',NULL,'rock','cca','1',NULL,'track-11','group-11',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-31','group-31',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,11,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d063-7000-bd2e-64c475b72dd7',1,1790001056000,'voter-2','s','v2m','regular','demo','video-0','source-0',NULL,'rock','mvbind','1',NULL,'track-0','group-0',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-20','group-20',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,0,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d073-7000-b9c6-667a84007a02',1,1790001096000,'voter-2','s','v2m','regular','demo','video-1','source-0',NULL,'rock','mvbind','1',NULL,'track-1','group-1',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-21','group-21',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,1,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d087-7000-b39c-cb480728097a',1,1790001136000,'voter-2','s','v2m','regular','demo','video-2','source-1',NULL,'rock','random','1',NULL,'track-2','group-2',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-22','group-22',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,2,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d097-7000-b446-5a1114b84250',1,1790001176000,'voter-2','s','v2m','regular','demo','video-3','source-1',NULL,'rock','mvbind','1',NULL,'track-3','group-3',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-23','group-23',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,3,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d0a7-7000-8438-a708fda1376d',1,1790001216000,'voter-2','s','v2m','gold','demo','video-4','source-2',NULL,'rock','mvbind','1',NULL,'track-4','group-4',1,0.5,0.0,0.0,1.0,'','1',NULL,'track-24','group-24',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,4,5000,'left',NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d0b7-7000-9ee2-8f04748db67f',1,1790001256000,'voter-2','s','v2m','regular','demo','video-5','source-2',NULL,'rock','cca','1',NULL,'track-5','group-5',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-25','group-25',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,5,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d0c7-7000-82f0-405e42c5f03f',1,1790001296000,'voter-2','s','v2m','regular','demo','video-6','source-3',NULL,'rock','cca','1',NULL,'track-6','group-6',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-26','group-26',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,6,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d0d7-7000-9a1f-280a1c819049',1,1790001336000,'voter-2','s','v2m','regular','demo','video-7','source-3',NULL,'rock','mvbind','1',NULL,'track-7','group-7',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-27','group-27',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,7,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d10b-7000-b4f0-7d1c11659cc6',1,1790001382000,'voter-2','s','v2m','regular','demo','video-8','source-4',NULL,'rock','cca','1',NULL,'track-8','group-8',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-28','group-28',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,8,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d11f-7000-b30c-53eb004ac1d9',1,1790001422000,'voter-2','s','v2m','regular','demo','video-9','source-4',NULL,'rock','cca','1',NULL,'track-9','group-9',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-29','group-29',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,9,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d13b-7000-9aaa-37b01b0ac28c',1,1790001464000,'voter-2','s','v2m','regular','demo','video-10','source-5',NULL,'rock','random','1',NULL,'track-10','group-10',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-30','group-30',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,10,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d14b-7000-892d-3ccda9d88004',1,1790001504000,'voter-2','s','v2m','regular','demo','video-11','source-5',NULL,'rock','mvbind','1',NULL,'track-11','group-11',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-31','group-31',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,11,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d16b-7000-8c41-7392f2dbbc66',1,1790001564000,'voter-3','s','v2m','regular','demo','video-0','source-0',NULL,'rock','cca','1',NULL,'track-0','group-0',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-20','group-20',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,0,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d183-7000-b945-4dfda1058ffa',1,1790001604000,'voter-3','s','v2m','regular','demo','video-1','source-0',NULL,'rock','random','1',NULL,'track-1','group-1',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-21','group-21',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,1,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d18b-7000-94bd-a46b84fdb93c',1,1790001644000,'voter-3','s','v2m','regular','demo','video-2','source-1',NULL,'rock','mvbind','1',NULL,'track-2','group-2',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-22','group-22',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,2,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d1a7-7000-ba05-6a4fc0fa0c19',1,1790001684000,'voter-3','s','v2m','regular','demo','video-3','source-1',NULL,'rock','cca','1',NULL,'track-3','group-3',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-23','group-23',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,3,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d1b3-7000-92ad-0f961d5c1c25',1,1790001724000,'voter-3','s','v2m','gold','demo','video-4','source-2',NULL,'rock','random','1',NULL,'track-4','group-4',1,0.5,0.0,0.0,1.0,'','1',NULL,'track-24','group-24',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,4,5000,'left',NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d1c3-7000-8c1d-3459928d7f2e',1,1790001764000,'voter-3','s','v2m','regular','demo','video-5','source-2',NULL,'rock','cca','1',NULL,'track-5','group-5',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-25','group-25',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,5,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d1d8-7000-8fe7-57a3f2c36808',1,1790001804000,'voter-3','s','v2m','regular','demo','video-6','source-3',NULL,'rock','mvbind','1',NULL,'track-6','group-6',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-26','group-26',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,6,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d1e3-7000-bfb6-ed61bff0dad0',1,1790001844000,'voter-3','s','v2m','regular','demo','video-7','source-3',NULL,'rock','cca','1',NULL,'track-7','group-7',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-27','group-27',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,7,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d20f-7000-8520-46829d5267a4',1,1790001890000,'voter-3','s','v2m','regular','demo','video-8','source-4',NULL,'rock','mvbind','1',NULL,'track-8','group-8',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-28','group-28',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,8,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d224-7000-afae-dace6b97669f',1,1790001930000,'voter-3','s','v2m','regular','demo','video-9','source-4',NULL,'rock','cca','1',NULL,'track-9','group-9',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-29','group-29',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,9,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d239-7000-bd71-9dfcde71d7c9',1,1790001972000,'voter-3','s','v2m','regular','demo','video-10','source-5',NULL,'rock','mvbind','1',NULL,'track-10','group-10',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-30','group-30',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,10,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d247-7000-8bec-b18ba10d366c',1,1790002012000,'voter-3','s','v2m','regular','demo','video-11','source-5',NULL,'rock','cca','1',NULL,'track-11','group-11',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-31','group-31',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,11,5000,NULL,NULL,NULL,'1');
INSERT INTO "battle" VALUES('01a227b7-d26b-7000-bf63-61d5233b9473',1,1790002072000,'voter-4','s','v2m','regular','demo','video-0','source-0',NULL,'rock','random','1',NULL,'track-0','group-0',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-20','group-20',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,0,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d27b-7000-92c3-c432a4f1d04a',1,1790002112000,'voter-4','s','v2m','regular','demo','video-1','source-0',NULL,'rock','random','1',NULL,'track-1','group-1',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-21','group-21',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,1,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d28c-7000-8eb2-30401910b9d4',1,1790002152000,'voter-4','s','v2m','regular','demo','video-2','source-1',NULL,'rock','random','1',NULL,'track-2','group-2',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-22','group-22',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,2,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d29b-7000-870a-bcb8e304efaf',1,1790002192000,'voter-4','s','v2m','regular','demo','video-3','source-1',NULL,'rock','random','1',NULL,'track-3','group-3',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-23','group-23',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,3,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d2a7-7000-b375-387b3a56d8cd',1,1790002232000,'voter-4','s','v2m','gold','demo','video-4','source-2',NULL,'rock','mvbind','1',NULL,'track-4','group-4',1,0.5,0.0,0.0,1.0,'','1',NULL,'track-24','group-24',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,4,5000,'left',NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d2b7-7000-86ce-9f64cb6acf2d',1,1790002272000,'voter-4','s','v2m','regular','demo','video-5','source-2',NULL,'rock','mvbind','1',NULL,'track-5','group-5',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-25','group-25',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,5,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d2cb-7000-aae1-e12953fcd564',1,1790002312000,'voter-4','s','v2m','regular','demo','video-6','source-3',NULL,'rock','mvbind','1',NULL,'track-6','group-6',1,0.5,0.0,0.0,1.0,'cca','1',NULL,'track-26','group-26',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,6,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d2db-7000-8ea1-64dd823bed04',1,1790002352000,'voter-4','s','v2m','regular','demo','video-7','source-3',NULL,'rock','cca','1',NULL,'track-7','group-7',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-27','group-27',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,7,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d2ff-7000-aadb-82add1b55a79',1,1790002398000,'voter-4','s','v2m','regular','demo','video-8','source-4',NULL,'rock','cca','1',NULL,'track-8','group-8',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-28','group-28',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,8,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d30f-7000-9fa6-d798d90fc972',1,1790002438000,'voter-4','s','v2m','regular','demo','video-9','source-4',NULL,'rock','cca','1',NULL,'track-9','group-9',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-29','group-29',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,9,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d333-7000-a591-c3235f86116d',1,1790002480000,'voter-4','s','v2m','regular','demo','video-10','source-5',NULL,'rock','cca','1',NULL,'track-10','group-10',1,0.5,0.0,0.0,1.0,'mvbind','1',NULL,'track-30','group-30',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,10,5000,NULL,NULL,'pilot','1');
INSERT INTO "battle" VALUES('01a227b7-d343-7000-9fe6-036187f1f176',1,1790002520000,'voter-4','s','v2m','regular','demo','video-11','source-5',NULL,'rock','mvbind','1',NULL,'track-11','group-11',1,0.5,0.0,0.0,1.0,'random','1',NULL,'track-31','group-31',1,0.5,0.0,0.0,1.0,'pool-1',40,'uniform-v1',3.33333333333333314829e-01,0.5,11,5000,NULL,NULL,'pilot','1');
CREATE TABLE consent (
	consent_id TEXT NOT NULL, 
	schema_version BIGINT NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	voter_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	version TEXT NOT NULL, 
	text_sha256 TEXT NOT NULL, 
	decision TEXT NOT NULL, 
	PRIMARY KEY (consent_id)
);
INSERT INTO "consent" VALUES('01a227b7-ce43-7000-aa07-a62293df29f3',1,1790000020000,'voter-0','s','3','0000000000000000000000000000000000000000000000000000000000000000','given');
INSERT INTO "consent" VALUES('01a227b7-cee3-7000-ae50-f24a76e17d1b',1,1790000528000,'voter-1','s','3','0000000000000000000000000000000000000000000000000000000000000000','given');
INSERT INTO "consent" VALUES('01a227b7-d05b-7000-bd8f-cd35170c74fd',1,1790001036000,'voter-2','s','3','0000000000000000000000000000000000000000000000000000000000000000','given');
INSERT INTO "consent" VALUES('01a227b7-d15f-7000-a513-8e7fb4452552',1,1790001544000,'voter-3','s','3','0000000000000000000000000000000000000000000000000000000000000000','given');
INSERT INTO "consent" VALUES('01a227b7-d25f-7000-988b-eac942702090',1,1790002052000,'voter-4','s','3','0000000000000000000000000000000000000000000000000000000000000000','given');
INSERT INTO "consent" VALUES('01a227b7-d34f-7000-9123-9787fd4e3501',1,1790002560000,'voter-5','s','3','0000000000000000000000000000000000000000000000000000000000000000','given');
INSERT INTO "consent" VALUES('01a227b7-d353-7000-b969-da1a2f88a6a9',1,1790002580000,'voter-5','s','3','0000000000000000000000000000000000000000000000000000000000000000','declined');
CREATE TABLE flag (
	flag_id TEXT NOT NULL, 
	schema_version BIGINT NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	target_kind TEXT NOT NULL, 
	target_id TEXT NOT NULL, 
	rule_id TEXT NOT NULL, 
	rule_version BIGINT NOT NULL, 
	verdict TEXT NOT NULL, 
	PRIMARY KEY (flag_id)
);
INSERT INTO "flag" VALUES('01a227b7-ceaa-7000-a120-2f4e22ce5a91',1,1790000427000,'battle','01a227b7-cea8-7001-b0b7-7423e4f6a50e','revealed',1,'clear');
INSERT INTO "flag" VALUES('01a227b7-d017-7000-902e-3f7f79bc05b3',1,1790000935000,'battle','01a227b7-cffb-7000-bc32-4e5d81fbe171','revealed',1,'clear');
INSERT INTO "flag" VALUES('01a227b7-d12b-7000-aa17-1fa66eb56e56',1,1790001443000,'battle','01a227b7-d11f-7000-b30c-53eb004ac1d9','revealed',1,'clear');
INSERT INTO "flag" VALUES('01a227b7-d22f-7000-90c9-5bd0197b9763',1,1790001951000,'battle','01a227b7-d224-7000-afae-dace6b97669f','revealed',1,'clear');
INSERT INTO "flag" VALUES('01a227b7-d31f-7000-b3c1-566d5a74e72a',1,1790002459000,'battle','01a227b7-d30f-7000-9fa6-d798d90fc972','revealed',1,'clear');
INSERT INTO "flag" VALUES('01a227b7-d36e-7000-a05b-121727be532e',1,1790002580000,'vote','01a227b7-ce9f-7000-8274-9a67f53c188f','rate-minute',1,'exclude');
CREATE TABLE judgment (
	judgment_id TEXT NOT NULL, 
	schema_version BIGINT NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	battle_id TEXT, 
	direction TEXT NOT NULL, 
	query_id TEXT NOT NULL, 
	item_id TEXT NOT NULL, 
	item_group_id TEXT NOT NULL, 
	grade BIGINT, 
	gold_grade BIGINT, 
	guideline_version TEXT NOT NULL, 
	pool_version TEXT NOT NULL, 
	found_by TEXT NOT NULL, 
	voter_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	consent_version TEXT NOT NULL, 
	listen_ms BIGINT NOT NULL, 
	reasons TEXT NOT NULL, 
	PRIMARY KEY (judgment_id), 
	FOREIGN KEY(battle_id) REFERENCES battle (battle_id)
);
INSERT INTO "judgment" VALUES('01a227b7-ceac-7000-8a18-6a4bf3948c2f',1,1790000428000,'01a227b7-cea8-7001-b0b7-7423e4f6a50e','v2m','video-9','track-9','group-9',2,NULL,'1','pool-1','{}','voter-0','s','3',0,'[]');
INSERT INTO "judgment" VALUES('01a227b7-d01e-7000-88dd-0fc1865a9012',1,1790000936000,'01a227b7-cffb-7000-bc32-4e5d81fbe171','v2m','video-9','track-9','group-9',2,NULL,'1','pool-1','{}','voter-1','s','3',0,'[]');
INSERT INTO "judgment" VALUES('01a227b7-d133-7000-a1fb-c4ea9ff90794',1,1790001444000,'01a227b7-d11f-7000-b30c-53eb004ac1d9','v2m','video-9','track-9','group-9',2,NULL,'1','pool-1','{}','voter-2','s','3',0,'[]');
INSERT INTO "judgment" VALUES('01a227b7-d233-7000-b15c-cca843a5b306',1,1790001952000,'01a227b7-d224-7000-afae-dace6b97669f','v2m','video-9','track-9','group-9',2,NULL,'1','pool-1','{}','voter-3','s','3',0,'[]');
INSERT INTO "judgment" VALUES('01a227b7-d327-7000-8ac2-9f74023f5eaa',1,1790002460000,'01a227b7-d30f-7000-9fa6-d798d90fc972','v2m','video-9','track-9','group-9',2,NULL,'1','pool-1','{}','voter-4','s','3',0,'[]');
CREATE TABLE login (
	account_mac TEXT NOT NULL, 
	voter_id TEXT NOT NULL, 
	PRIMARY KEY (account_mac), 
	CONSTRAINT one_account_per_voter UNIQUE (voter_id)
);
INSERT INTO "login" VALUES('mac','voter-0');
CREATE TABLE participant (
	study_id TEXT NOT NULL, 
	voter_id TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	PRIMARY KEY (study_id, voter_id), 
	CONSTRAINT one_participant_per_number UNIQUE (study_id, number)
);
INSERT INTO "participant" VALUES('pilot','voter-4',0,1790002580000);
CREATE TABLE pool_item (
	pool_version TEXT NOT NULL, 
	query_id TEXT NOT NULL, 
	item_group_id TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	item_id TEXT NOT NULL, 
	found_by TEXT NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	PRIMARY KEY (pool_version, query_id, item_group_id)
);
INSERT INTO "pool_item" VALUES('pool-1','video-9','group-9','v2m','track-9','{"cca": 9}',1790002580000);
INSERT INTO "pool_item" VALUES('pool-1','video-9','group-29','v2m','track-29','{"cca": 29}',1790002580000);
CREATE TABLE vote (
	vote_id TEXT NOT NULL, 
	schema_version BIGINT NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	battle_id TEXT NOT NULL, 
	attempt BIGINT NOT NULL, 
	undoes TEXT, 
	voter_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	account TEXT NOT NULL, 
	consent_version TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	aspect TEXT NOT NULL, 
	confidence BIGINT, 
	listen_left_ms BIGINT NOT NULL, 
	listen_right_ms BIGINT NOT NULL, 
	video_ms BIGINT NOT NULL, 
	switches BIGINT NOT NULL, 
	decision_ms BIGINT NOT NULL, 
	reasons TEXT NOT NULL, 
	prev_hash TEXT NOT NULL, 
	PRIMARY KEY (vote_id), 
	CONSTRAINT one_vote_per_battle UNIQUE (battle_id, aspect, kind, attempt), 
	CONSTRAINT one_undo_per_vote UNIQUE (undoes), 
	FOREIGN KEY(battle_id) REFERENCES battle (battle_id), 
	FOREIGN KEY(undoes) REFERENCES vote (vote_id)
);
INSERT INTO "vote" VALUES('01a227b7-ce5b-7000-b0b9-4ff40190cff0',1,1790000060000,'vote','01a227b7-ce49-7000-b161-9fe330a63f00',0,NULL,'voter-0','s','login','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','');
INSERT INTO "vote" VALUES('01a227b7-ce7b-7000-b11d-fc999b930fb3',1,1790000100000,'vote','01a227b7-ce73-7000-8044-00714299d0a2',0,NULL,'voter-0','s','login','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','97ba35374b2e83476e76b0aafdf6416fe2c4800f881c5a6e17e8e2f5494bcd7d');
INSERT INTO "vote" VALUES('01a227b7-ce9b-7000-8104-794c3352ed14',1,1790000140000,'vote','01a227b7-ce97-7000-98c6-442af326bcaa',0,NULL,'voter-0','s','login','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','88256b0d876b5dfdd693f42f1816733eabeb584a94c086dd55d71948d7be9885');
INSERT INTO "vote" VALUES('01a227b7-ce9f-7000-8274-9a67f53c188f',1,1790000180000,'vote','01a227b7-ce9d-7000-b631-d028689ace94',0,NULL,'voter-0','s','login','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','babbbee2a36df15ae53ba61e7c6c6d6b18a123dde6573ce0ca007229e10f59b3');
INSERT INTO "vote" VALUES('01a227b7-cea1-7000-849f-76f7831cdfca',1,1790000220000,'vote','01a227b7-cea0-7000-8acd-40e8ccd4eaaf',0,NULL,'voter-0','s','login','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','f98ec5fbaaf3cf6bc191cab97023719922be73f4090ecd5c59bc4d77b7dae236');
INSERT INTO "vote" VALUES('01a227b7-cea2-7001-a413-bd2f19cfbc23',1,1790000260000,'vote','01a227b7-cea2-7000-b8eb-e3c0b2447537',0,NULL,'voter-0','s','login','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','25c37fbc51be13767382f3b5ec63af39aacad0e331f1c2ff4fc0c9c70ccd3fea');
INSERT INTO "vote" VALUES('01a227b7-cea3-7001-b099-f669d83aee75',1,1790000300000,'vote','01a227b7-cea3-7000-a509-4e434e727a25',0,NULL,'voter-0','s','login','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','4a0f6455ab23c07db568073becf42cc2330e87c84d9f601b470ed9713b057cea');
INSERT INTO "vote" VALUES('01a227b7-cea5-7000-8486-0586f9441354',1,1790000340000,'vote','01a227b7-cea4-7000-855e-1c30e79c51ad',0,NULL,'voter-0','s','login','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','a4af7f7dce326b7d9efddff42ce865fdf4c7204df20616475b5d8b61946da0db');
INSERT INTO "vote" VALUES('01a227b7-cea6-7000-b6d5-08437ec4472d',1,1790000343000,'undo','01a227b7-cea4-7000-855e-1c30e79c51ad',0,'01a227b7-cea5-7000-8486-0586f9441354','voter-0','s','login','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','419e6e00a920eb949d450440f7e1428e115442b6f612139b7243d0d3e9d0d3d3');
INSERT INTO "vote" VALUES('01a227b7-cea6-7001-ab95-123a90097a16',1,1790000346000,'vote','01a227b7-cea4-7000-855e-1c30e79c51ad',1,NULL,'voter-0','s','login','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','c41742cecea729438b34754d0e66d21544d87d8de6340285207b33b56e3992dc');
INSERT INTO "vote" VALUES('01a227b7-cea8-7000-a03f-75b49f3142fc',1,1790000386000,'vote','01a227b7-cea7-7000-97c3-66c5869803b6',0,NULL,'voter-0','s','login','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','3866e840fb01492de35330af6a8971d80afb3134b55aa5b8523f667ab2a693b0');
INSERT INTO "vote" VALUES('01a227b7-cea9-7000-9842-178518f46506',1,1790000426000,'vote','01a227b7-cea8-7001-b0b7-7423e4f6a50e',0,NULL,'voter-0','s','login','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','c6a0edfd66814106e4b9aef8c2b16528459a8d8b0355f5fc1428976725c1da63');
INSERT INTO "vote" VALUES('01a227b7-cec3-7000-ba0c-5527e0d1217d',1,1790000468000,'vote','01a227b7-ceb7-7000-9b1c-c39244005196',0,NULL,'voter-0','s','login','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','825599d0d3ee31fa3a6f34003aeb7dbadaa524dbfa921d975b8b6ceb821f0abe');
INSERT INTO "vote" VALUES('01a227b7-ced7-7000-aa0a-92e4ea0ac6fc',1,1790000508000,'vote','01a227b7-cec8-7000-9ac3-d6a3d9132349',0,NULL,'voter-0','s','login','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','bca7f4751833d8615274389194bf49086758c68c41171e6221b9e7c1ccb70485');
INSERT INTO "vote" VALUES('01a227b7-cef7-7000-b6ca-fff413638e44',1,1790000568000,'vote','01a227b7-ceef-7000-99da-df1435402356',0,NULL,'voter-1','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','');
INSERT INTO "vote" VALUES('01a227b7-cf17-7000-b6d8-b004aff04474',1,1790000608000,'vote','01a227b7-cf03-7000-8303-56a5dbe94038',0,NULL,'voter-1','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','1961f01281741f10e2fec4ee2d2b6f17503758d29fe0d922116024c02c6df444');
INSERT INTO "vote" VALUES('01a227b7-cf33-7000-ba9b-55f3a60df926',1,1790000648000,'vote','01a227b7-cf23-7000-8049-b51429685855',0,NULL,'voter-1','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','6c1226e75d522a22e5355d0637457456797d1e42a158b599eef7895b70fe894b');
INSERT INTO "vote" VALUES('01a227b7-cf47-7000-b1ab-18446ed84890',1,1790000688000,'vote','01a227b7-cf3b-7000-ba45-2c0af9a159cc',0,NULL,'voter-1','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','a678bd391045b2a1a565f5bc14391a116249022f0a5c05db0b70d384dc7a4018');
INSERT INTO "vote" VALUES('01a227b7-cf5b-7000-a8ca-a62c10b38cf0',1,1790000728000,'vote','01a227b7-cf53-7000-832e-76c47a55d247',0,NULL,'voter-1','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','d47e36d493281bcfb76278f1f665641884a1cc5ad47a256b5c318295423607aa');
INSERT INTO "vote" VALUES('01a227b7-cf7f-7000-8add-26df5b5230d1',1,1790000768000,'vote','01a227b7-cf6f-7000-9adf-fdb5b083545a',0,NULL,'voter-1','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','a938e8c507ca9ef25a96b69a9c008daa1982d029d079a6e6e138641afed6879e');
INSERT INTO "vote" VALUES('01a227b7-cf9c-7000-8248-2b30a25f7101',1,1790000808000,'vote','01a227b7-cf8b-7000-8750-142760c264a4',0,NULL,'voter-1','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','94c45bf707eb40927f85e969c65472493141e0f63554546ae70422b4251b0bb7');
INSERT INTO "vote" VALUES('01a227b7-cfbb-7000-ad43-bf75024bd4fc',1,1790000848000,'vote','01a227b7-cfab-7000-aed2-51d0bcdb9d61',0,NULL,'voter-1','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','9e191eb17b36d85bca8b1b43e6c41623765e0031c0c9f9d552f97fdde16db8a0');
INSERT INTO "vote" VALUES('01a227b7-cfc3-7000-900e-3d787a55258d',1,1790000851000,'undo','01a227b7-cfab-7000-aed2-51d0bcdb9d61',0,'01a227b7-cfbb-7000-ad43-bf75024bd4fc','voter-1','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','96a6bb684185efd6046af969c0221556adc33b95321df174f422da3ead01a12c');
INSERT INTO "vote" VALUES('01a227b7-cfc9-7000-9d2e-62e33d91464d',1,1790000854000,'vote','01a227b7-cfab-7000-aed2-51d0bcdb9d61',1,NULL,'voter-1','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','79875bc443a3819ea035a835b4fc44b33bc2d36648e454118cbe42c4f36dffa9');
INSERT INTO "vote" VALUES('01a227b7-cfe7-7000-a966-1d5f9896e7ee',1,1790000894000,'vote','01a227b7-cfdb-7000-8e73-311cec80883d',0,NULL,'voter-1','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','28e9a02a55977d8e46d4f00285d1eff44b07c6c10a8d985b8636e5c11bf9f7b9');
INSERT INTO "vote" VALUES('01a227b7-d00f-7000-9245-c2f8a2cf2902',1,1790000934000,'vote','01a227b7-cffb-7000-bc32-4e5d81fbe171',0,NULL,'voter-1','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','bad6314c4831c78b0fcd456e060ac5cd9f8e81dc700fc7f2ef79d56a7bd10c31');
INSERT INTO "vote" VALUES('01a227b7-d037-7000-8913-b68043ba68f7',1,1790000976000,'vote','01a227b7-d02f-7000-bf21-ef656556f3c0',0,NULL,'voter-1','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','dd0275e4c416f55ba94eb6422c2db74b6c459b65ca539b974b15a1ec38466857');
INSERT INTO "vote" VALUES('01a227b7-d053-7000-af3e-1cdf91d5f10f',1,1790001016000,'vote','01a227b7-d047-7000-bc03-155327631bd5',0,NULL,'voter-1','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','1aa3c4153d829382a99f1f011f30705b8db16de2c1705fc0fe8bbb1d322d4cdb');
INSERT INTO "vote" VALUES('01a227b7-d067-7000-af26-e1245c50fcae',1,1790001076000,'vote','01a227b7-d063-7000-bd2e-64c475b72dd7',0,NULL,'voter-2','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','');
INSERT INTO "vote" VALUES('01a227b7-d07f-7000-a7de-2666eb439d6a',1,1790001116000,'vote','01a227b7-d073-7000-b9c6-667a84007a02',0,NULL,'voter-2','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','ebfe1dd699b2008cb70d82cc19b54f6803198c42a25b859c4c06593a1fdc99d7');
INSERT INTO "vote" VALUES('01a227b7-d08f-7000-bbc9-d33525e7fa6e',1,1790001156000,'vote','01a227b7-d087-7000-b39c-cb480728097a',0,NULL,'voter-2','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','c408988b99c432baa02b3bc9c7c171272605ac90299bbb4a3d93610252603310');
INSERT INTO "vote" VALUES('01a227b7-d0a3-7000-ac15-925c42fb857d',1,1790001196000,'vote','01a227b7-d097-7000-b446-5a1114b84250',0,NULL,'voter-2','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','440554f6daf193810227a8b47937d6249a51df789cd1eaeae85f899531fa94e6');
INSERT INTO "vote" VALUES('01a227b7-d0b3-7000-b5d8-1bb769061268',1,1790001236000,'vote','01a227b7-d0a7-7000-8438-a708fda1376d',0,NULL,'voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','4fe4da13087df452be300de90c6ec76a89dfaa55fd671b50850b24582dd0b895');
INSERT INTO "vote" VALUES('01a227b7-d0c3-7000-86fc-939d20dd10fd',1,1790001276000,'vote','01a227b7-d0b7-7000-9ee2-8f04748db67f',0,NULL,'voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','3a34ca97713eb3bb80f137f79268f835e7ae240b91599efee876054158adf1dd');
INSERT INTO "vote" VALUES('01a227b7-d0d3-7000-96c4-84750db20fca',1,1790001316000,'vote','01a227b7-d0c7-7000-82f0-405e42c5f03f',0,NULL,'voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','73581367bf457066293b21e175a64da6e4f1bec8d1d3c4ef8d7527bf50860bfd');
INSERT INTO "vote" VALUES('01a227b7-d0e3-7000-a93b-20464a840cd2',1,1790001356000,'vote','01a227b7-d0d7-7000-9a1f-280a1c819049',0,NULL,'voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','c21f00a338bb2dbdc0b949376ffd6ea05ecd6cf4bfa16b9435153804c491b839');
INSERT INTO "vote" VALUES('01a227b7-d0ef-7000-a8e3-bbe91aa443c2',1,1790001359000,'undo','01a227b7-d0d7-7000-9a1f-280a1c819049',0,'01a227b7-d0e3-7000-a93b-20464a840cd2','voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','1306cec8011b965130091b7846033b77b45e17cdfb8115e61eba8e85854705b1');
INSERT INTO "vote" VALUES('01a227b7-d0f7-7000-8180-5def2cf03713',1,1790001362000,'vote','01a227b7-d0d7-7000-9a1f-280a1c819049',1,NULL,'voter-2','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','f83e97c048263c8d962545419d5ce8c1763c124f8eea958d5d100b46971f66e5');
INSERT INTO "vote" VALUES('01a227b7-d10f-7000-a703-831f57c8d387',1,1790001402000,'vote','01a227b7-d10b-7000-b4f0-7d1c11659cc6',0,NULL,'voter-2','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','37b4f34c7d1605cafd984a6284101996bb9d4d986823d6d624e8d44d9fea24d2');
INSERT INTO "vote" VALUES('01a227b7-d120-7000-9700-273af7c12683',1,1790001442000,'vote','01a227b7-d11f-7000-b30c-53eb004ac1d9',0,NULL,'voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','3e6b44336645b92ec728298f0c3aa62f3193b3e1b1ed0b72cbf979520e63c19e');
INSERT INTO "vote" VALUES('01a227b7-d143-7000-92cb-9b6dfc776814',1,1790001484000,'vote','01a227b7-d13b-7000-9aaa-37b01b0ac28c',0,NULL,'voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','1478ce3810399724d74174b435da486c9a59d72db3ac6ec64f798ee568fcc1b5');
INSERT INTO "vote" VALUES('01a227b7-d157-7000-82a0-befb3f659b78',1,1790001524000,'vote','01a227b7-d14b-7000-892d-3ccda9d88004',0,NULL,'voter-2','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','327acda6282a9320233cbb31b5dd19c4d0d7ee7b2fae0ede5bfb915140c2be3d');
INSERT INTO "vote" VALUES('01a227b7-d177-7000-8a4d-beecebbd6334',1,1790001584000,'vote','01a227b7-d16b-7000-8c41-7392f2dbbc66',0,NULL,'voter-3','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','');
INSERT INTO "vote" VALUES('01a227b7-d187-7000-bb85-ce0a7843751d',1,1790001624000,'vote','01a227b7-d183-7000-b945-4dfda1058ffa',0,NULL,'voter-3','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','8bd35bc562163c84bd8f9c0ecb38ad3eb8465638ac33148241bfabe2db067ce3');
INSERT INTO "vote" VALUES('01a227b7-d19b-7000-b113-2daf5c6aa6a3',1,1790001664000,'vote','01a227b7-d18b-7000-94bd-a46b84fdb93c',0,NULL,'voter-3','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','db9104a818ac354d90f62c4fbbcb1c4e282afb5159b32fb180fbca7af21a93ff');
INSERT INTO "vote" VALUES('01a227b7-d1ab-7000-858c-7585a452c5ce',1,1790001704000,'vote','01a227b7-d1a7-7000-ba05-6a4fc0fa0c19',0,NULL,'voter-3','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','dfcf15eb837a9ecaabbc78db2872476868d4e0ca0ab47daba677dfa4b8c20f0a');
INSERT INTO "vote" VALUES('01a227b7-d1bf-7000-8fc2-4cc2e281458f',1,1790001744000,'vote','01a227b7-d1b3-7000-92ad-0f961d5c1c25',0,NULL,'voter-3','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','ed86d3f082dffe53b62e525f200489def69ebcb61e7d06a541d828d574487f1f');
INSERT INTO "vote" VALUES('01a227b7-d1c7-7000-8462-ff80f6622847',1,1790001784000,'vote','01a227b7-d1c3-7000-8c1d-3459928d7f2e',0,NULL,'voter-3','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','5bf9fb244dd9f834a5d0d5dfdaf16edaef5b0d487f557a93a94163d1b5acab99');
INSERT INTO "vote" VALUES('01a227b7-d1db-7000-af23-41196609851c',1,1790001824000,'vote','01a227b7-d1d8-7000-8fe7-57a3f2c36808',0,NULL,'voter-3','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','fb1da7b274020785ef9e53c5da101c095a1acf922a6e8440ce0c94cda3f06701');
INSERT INTO "vote" VALUES('01a227b7-d1ef-7000-9aca-13741576cf5e',1,1790001864000,'vote','01a227b7-d1e3-7000-bfb6-ed61bff0dad0',0,NULL,'voter-3','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','fae0da187d9a374d15aa258971e94e9d667fa6de183fcdc657fa7c2c0265837c');
INSERT INTO "vote" VALUES('01a227b7-d1ff-7000-ba17-4aa8260190ba',1,1790001867000,'undo','01a227b7-d1e3-7000-bfb6-ed61bff0dad0',0,'01a227b7-d1ef-7000-9aca-13741576cf5e','voter-3','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','8e0140d564a4e79d6c09dba2c1ad7cfdb3d7012e23f24fd244717b73bd7731b0');
INSERT INTO "vote" VALUES('01a227b7-d20b-7000-8016-94d5cd536126',1,1790001870000,'vote','01a227b7-d1e3-7000-bfb6-ed61bff0dad0',1,NULL,'voter-3','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','d181750dd114994d954da779317813053ed960e24d5bd8215abcb87f41f81a2d');
INSERT INTO "vote" VALUES('01a227b7-d213-7000-ad13-d2bda6e9ad42',1,1790001910000,'vote','01a227b7-d20f-7000-8520-46829d5267a4',0,NULL,'voter-3','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','fb5af4d7ae5ae912786ceb983a74a0fe05c63864eeb3ee85f6bc7ac9cc706866');
INSERT INTO "vote" VALUES('01a227b7-d225-7000-b9ac-2ead473c2144',1,1790001950000,'vote','01a227b7-d224-7000-afae-dace6b97669f',0,NULL,'voter-3','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','785643116ba7328ebf72328d6802d6c25565da40d9b9bd0bea4e454be56fd7c6');
INSERT INTO "vote" VALUES('01a227b7-d23f-7000-bec0-0fd4ea139c95',1,1790001992000,'vote','01a227b7-d239-7000-bd71-9dfcde71d7c9',0,NULL,'voter-3','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','d5f22d019100768cf06ef3367c9d96ab55532a303d46be3ce1324c654c5d7122');
INSERT INTO "vote" VALUES('01a227b7-d24f-7000-b72e-e6226102d2f6',1,1790002032000,'vote','01a227b7-d247-7000-8bec-b18ba10d366c',0,NULL,'voter-3','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','582a06fc87e7ac139dd593120d8cf224b6db81836a96fbe8fd43ec4cfb5bce8d');
INSERT INTO "vote" VALUES('01a227b7-d277-7000-94a2-f980c4971d37',1,1790002092000,'vote','01a227b7-d26b-7000-bf63-61d5233b9473',0,NULL,'voter-4','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','');
INSERT INTO "vote" VALUES('01a227b7-d287-7000-9d72-f3c00965c049',1,1790002132000,'vote','01a227b7-d27b-7000-92c3-c432a4f1d04a',0,NULL,'voter-4','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','4304b8fbaddc82b7d5c4c88ea0d86b10af1010fbd2dc80f1df22e9f50cf8c14b');
INSERT INTO "vote" VALUES('01a227b7-d297-7000-afc0-5a08a40606f7',1,1790002172000,'vote','01a227b7-d28c-7000-8eb2-30401910b9d4',0,NULL,'voter-4','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','b381fd47bee09ec4ed166266e39e4dec7d062b19d2a94338b31097c179ac10ba');
INSERT INTO "vote" VALUES('01a227b7-d29d-7000-8ce0-3cee6aaa822f',1,1790002212000,'vote','01a227b7-d29b-7000-870a-bcb8e304efaf',0,NULL,'voter-4','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','280d214e3211bba2eb9fafdbd23ac64d891f1cd76e5626217a818e726374cbf0');
INSERT INTO "vote" VALUES('01a227b7-d2af-7000-8a5b-00e8ef11ea08',1,1790002252000,'vote','01a227b7-d2a7-7000-b375-387b3a56d8cd',0,NULL,'voter-4','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','e2fd001c6646fdd96edf2ea29d8ec5a3bcfcedaa1bdd4c80eb734335ce97d840');
INSERT INTO "vote" VALUES('01a227b7-d2c0-7000-b95c-7ce53199a16c',1,1790002292000,'vote','01a227b7-d2b7-7000-86ce-9f64cb6acf2d',0,NULL,'voter-4','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','ab3629aa1db693823fce81e8ea7cdf34917b735c262b3531dab385efe9428f32');
INSERT INTO "vote" VALUES('01a227b7-d2d3-7000-aea0-b5f6496b6781',1,1790002332000,'vote','01a227b7-d2cb-7000-aae1-e12953fcd564',0,NULL,'voter-4','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','d3b6901ee79af52c31842901259c4139b6e4ae01e2256a4348f7702a9a51fa1e');
INSERT INTO "vote" VALUES('01a227b7-d2e7-7000-847e-405ac9190667',1,1790002372000,'vote','01a227b7-d2db-7000-8ea1-64dd823bed04',0,NULL,'voter-4','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','7620f75c2731f7aa4e79df53ca4a0c92d6e8fc758383acce99b2ee1c9bab91e1');
INSERT INTO "vote" VALUES('01a227b7-d2ea-7000-98e2-0612666e6722',1,1790002375000,'undo','01a227b7-d2db-7000-8ea1-64dd823bed04',0,'01a227b7-d2e7-7000-847e-405ac9190667','voter-4','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','ac07609d564edaee5695b2afcc05190f1317b02c0aa7d255e87ced8c1f6a470a');
INSERT INTO "vote" VALUES('01a227b7-d2f4-7000-a974-4dd695c7af37',1,1790002378000,'vote','01a227b7-d2db-7000-8ea1-64dd823bed04',1,NULL,'voter-4','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','1b9d4e1ec8afb06e2b67cd33c74c1be9dfb2bd4222460ef092fff5264d834fc3');
INSERT INTO "vote" VALUES('01a227b7-d307-7000-88d9-be4ff759c5ff',1,1790002418000,'vote','01a227b7-d2ff-7000-aadb-82add1b55a79',0,NULL,'voter-4','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','2f1f8b4637c592612855411dfde2cf36183dedbe095eb327e8c7e176d8e0614c');
INSERT INTO "vote" VALUES('01a227b7-d314-7000-a620-b98948385738',1,1790002458000,'vote','01a227b7-d30f-7000-9fa6-d798d90fc972',0,NULL,'voter-4','s','anonymous','3','left','fit',NULL,6000,6000,0,0,20000,'["mood"]','c7fa1a2214bf9ff34d1d6cb0fe62fadd67786bc49dd55f4c3b8be6eb19ca7656');
INSERT INTO "vote" VALUES('01a227b7-d334-7000-af4f-4820624ac811',1,1790002500000,'vote','01a227b7-d333-7000-a591-c3235f86116d',0,NULL,'voter-4','s','anonymous','3','right','fit',NULL,6000,6000,0,0,20000,'["mood"]','d5b9f1629966a8134d41b0a1f3595945f8ffcade5f1dd83a8a34e2fd39de6743');
INSERT INTO "vote" VALUES('01a227b7-d34b-7000-ac58-28d3900c1b89',1,1790002540000,'vote','01a227b7-d343-7000-9fe6-036187f1f176',0,NULL,'voter-4','s','anonymous','3','tie','fit',NULL,6000,6000,0,0,20000,'["mood"]','3bbc38e940b8d81a3b1fad453d00b766c74f5165bf3f996a0046edc5d3caa491');
CREATE INDEX battle_by_voter ON battle (voter_id, created_at_ms);
CREATE INDEX consent_by_voter ON consent (voter_id);
CREATE INDEX flag_by_target ON flag (target_kind, target_id);
CREATE INDEX judgment_by_item ON judgment (query_id, item_group_id);
CREATE INDEX judgment_by_voter ON judgment (voter_id);
CREATE INDEX vote_by_voter ON vote (voter_id, created_at_ms);
CREATE VIEW excluded_v1 AS
SELECT DISTINCT f.target_kind, f.target_id
FROM flag f
WHERE f.verdict = 'exclude'
  AND NOT EXISTS (
    SELECT 1 FROM flag g
    WHERE g.target_kind = f.target_kind AND g.target_id = f.target_id
      AND g.rule_id = f.rule_id AND g.flag_id > f.flag_id);
CREATE VIEW counted_vote_v1 AS
SELECT v.vote_id, v.battle_id, v.voter_id, v.session_id, v.account, v.created_at_ms, v.outcome, v.aspect,
  b.direction, b.source, b.query_id, b.query_group_id, b.query_genre,
  b.pool_version, b.policy_id, b.pair_prob,
  b.left_system_id, b.left_system_version, b.left_alpha, b.left_item_id, b.left_item_group_id,
  b.right_system_id, b.right_system_version, b.right_alpha, b.right_item_id, b.right_item_group_id
FROM vote v JOIN battle b ON b.battle_id = v.battle_id AND b.voter_id = v.voter_id
WHERE v.kind = 'vote' AND v.outcome <> 'skip' AND b.kind = 'regular'
  AND v.listen_left_ms >= b.needed_ms AND v.listen_right_ms >= b.needed_ms
  AND b.left_item_group_id <> b.right_item_group_id
  AND NOT EXISTS (SELECT 1 FROM vote u WHERE u.undoes = v.vote_id)
  AND EXISTS (
    SELECT 1 FROM consent c
    WHERE c.voter_id = v.voter_id AND c.version = v.consent_version AND c.decision = 'given')
  AND NOT EXISTS (
    SELECT 1 FROM excluded_v1 x
    WHERE (x.target_kind = 'vote' AND x.target_id = v.vote_id)
       OR (x.target_kind = 'battle' AND x.target_id = v.battle_id)
       OR (x.target_kind = 'voter' AND x.target_id = v.voter_id));
COMMIT;
