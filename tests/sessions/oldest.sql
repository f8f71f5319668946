BEGIN TRANSACTION;
CREATE TABLE records (
            number INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES sessions (key),
            turn INTEGER NOT NULL, step INTEGER, parent TEXT, time REAL NOT NULL,
            type TEXT NOT NULL, body TEXT NOT NULL, starts TEXT
        );
INSERT INTO "records" VALUES(1,1,1,NULL,NULL,1000.0,'turn_started','{"type":"turn_started","message":{"role":"user","blocks":[{"type":"text","text":"Read a.txt"}],"origin":null},"mode":"agent","policy":"ask"}',NULL);
INSERT INTO "records" VALUES(2,1,1,1,NULL,1001.0,'step_started','{"type":"step_started","origin":{"backend":"lab","base_url":"http://127.0.0.1:8000/v1","model":"m","wire":"chat-completions"},"url":"http://127.0.0.1:8000/v1/chat/completions","request":{"list":"messages","kept":0,"items":[1],"set":{"model":"m"},"unset":[]}}',NULL);
INSERT INTO "records" VALUES(8,1,1,1,NULL,1007.0,'step_finished','{"type":"step_finished","message":{"role":"assistant","blocks":[{"type":"reasoning","text":"I should look.","key":"reasoning_content","signature":null,"data":null},{"type":"text","text":"Let me see."},{"type":"tool_call","id":"c1","name":"read_file","arguments":{"path":"a.txt"},"raw":null,"extra":null}],"origin":{"backend":"lab","base_url":"http://127.0.0.1:8000/v1","model":"m","wire":"chat-completions"}},"usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":null,"reasoning_tokens":null,"cost":null},"finish_reason":"tool_calls","timings":{"started":1.0,"first_token_s":0.5,"total_s":2.0},"cost":0.01}','[["reasoning_delta",1002.0],["text_delta",1004.0],["tool_call_delta",1005.0]]');
INSERT INTO "records" VALUES(9,1,1,1,NULL,1008.0,'tool_started','{"type":"tool_started","call":{"type":"tool_call","id":"c1","name":"read_file","arguments":{"path":"a.txt"},"raw":null,"extra":null}}',NULL);
INSERT INTO "records" VALUES(10,1,1,1,NULL,1009.0,'tool_finished','{"type":"tool_finished","call_id":"c1","is_error":false,"result":"one\n","total_s":0.1,"detail":{}}',NULL);
INSERT INTO "records" VALUES(11,1,1,2,NULL,1010.0,'step_started','{"type":"step_started","origin":{"backend":"lab","base_url":"http://127.0.0.1:8000/v1","model":"m","wire":"chat-completions"},"url":"http://127.0.0.1:8000/v1/chat/completions","request":{"list":"messages","kept":1,"items":[2,3],"set":{},"unset":[]}}',NULL);
INSERT INTO "records" VALUES(13,1,1,2,NULL,1012.0,'step_finished','{"type":"step_finished","message":{"role":"assistant","blocks":[{"type":"text","text":"It says one."}],"origin":{"backend":"lab","base_url":"http://127.0.0.1:8000/v1","model":"m","wire":"chat-completions"}},"usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":null,"reasoning_tokens":null,"cost":null},"finish_reason":"stop","timings":{"started":1.0,"first_token_s":0.5,"total_s":2.0},"cost":0.01}','[["text_delta",1011.0]]');
INSERT INTO "records" VALUES(14,1,1,NULL,NULL,1013.0,'turn_finished','{"type":"turn_finished","reason":"done","detail":""}',NULL);
CREATE TABLE sessions (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, folder BLOB NOT NULL,
            created REAL NOT NULL, updated REAL NOT NULL, turns INTEGER NOT NULL DEFAULT 0,
            is_open INTEGER NOT NULL DEFAULT 0, interrupted INTEGER NOT NULL DEFAULT 0
        );
INSERT INTO "sessions" VALUES(1,'bqx7md','Read a.txt',X'2F70726F6A656374',1000.0,1013.0,1,0,0);
CREATE INDEX sessions_by_folder ON sessions (folder, updated);
CREATE INDEX records_by_session ON records (session, number);
CREATE INDEX unfinished ON records (session, turn, step)
            WHERE type IN ('text_delta', 'reasoning_delta', 'tool_call_delta');
COMMIT;
PRAGMA user_version = 1;
