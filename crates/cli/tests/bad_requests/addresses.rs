//! Everything but the bodies of `POST /v1/responses`: routes, methods, headers, queries, framing.

/// Rows of `status code param body` for `POST /v1/responses/{id}/approvals` of a paused response.
pub const DECISIONS: &str = r#"
400 missing_required_parameter approve {}
400 missing_required_parameter approve {"approve": null}
400 missing_required_parameter approve {"approved": true}
400 invalid_type approve {"approve": "yes"}
400 invalid_type approve {"approve": "true"}
400 invalid_type approve {"approve": 1}
400 invalid_type approve {"approve": 0}
400 invalid_type approve {"approve": [true]}
400 invalid_type approve {"approve": {}}
400 invalid_type feedback {"approve": false, "feedback": 7}
400 invalid_type feedback {"approve": true, "feedback": ["no"]}
400 string_above_max_length feedback {"approve": false, "feedback": "⟨ö×20001⟩"}
400 invalid_value new_max_cost_usd {"approve": true, "new_max_cost_usd": 0}
400 invalid_value new_max_cost_usd {"approve": true, "new_max_cost_usd": -0}
400 invalid_value new_max_cost_usd {"approve": true, "new_max_cost_usd": -5}
400 invalid_value new_max_cost_usd {"approve": true, "new_max_cost_usd": 500.01}
400 invalid_value new_max_cost_usd {"approve": true, "new_max_cost_usd": 18446744073709551616}
400 invalid_type new_max_cost_usd {"approve": true, "new_max_cost_usd": "10"}
400 invalid_type new_max_cost_usd {"approve": true, "new_max_cost_usd": true}
400 invalid_type new_max_cost_usd {"approve": true, "new_max_cost_usd": []}
400 invalid_json - {"approve": true, "approve": false}
400 invalid_json - {"approve": true, "new_max_cost_usd": 1, "new_max_cost_usd": 500}
400 invalid_json - {"approve": true
400 invalid_json - {"approve": yes}
400 invalid_json - {"approve": true, "new_max_cost_usd": NaN}
400 invalid_json - {"approve": true, "new_max_cost_usd": 1e400}
400 invalid_json - {"approve": true, "feedback": "⟨ff⟩"}
400 invalid_json - {"approve": true, "feedback": "\ud800"}
400 invalid_json - ⟨[×100000⟩
400 invalid_json - ⟨ff fe 7b 00 7d 00⟩
400 invalid_json - []
400 invalid_json - true
400 invalid_json - "approve"
"#;

/// Rows of `status code param | METHOD path | headers | body`.
pub const HEADERS: &str = r#"
401 missing_token - | POST /v1/responses | -authorization | {"input": "x"}
401 missing_token - | POST /v1/responses | -authorization | not even JSON
401 missing_token - | GET /v1/responses | -authorization |
401 missing_token - | GET /v1/responses/{id} | -authorization |
401 missing_token - | GET /v1/responses/{id}/events | -authorization |
401 missing_token - | POST /v1/responses/{id}/cancel | -authorization |
401 missing_token - | POST /v1/responses/{id}/approvals | -authorization | {"approve": true}
401 missing_token - | DELETE /v1/responses/{id} | -authorization |
401 missing_token - | GET /v1/responses/{id}/input_items | -authorization |
401 missing_token - | GET /v1/sessions/sess_00000000000000000000000000000000 | -authorization |
401 missing_token - | DELETE /v1/sessions/sess_00000000000000000000000000000000 | -authorization |
401 missing_token - | GET /v1/responses/{id}?api_key=hf_alice&token=hf_alice | -authorization |
401 missing_token - | GET /v1/responses/{id} | -authorization; x-api-key: hf_alice |
401 missing_token - | GET /v1/responses/{id} | -authorization; cookie: authorization=hf_alice |
401 missing_token - | GET /v1/responses/{id} | authorization: |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer |
401 missing_token - | GET /v1/responses/{id} | authorization: hf_alice |
401 missing_token - | GET /v1/responses/{id} | authorization: Basic aGZfYWxpY2U6 |
401 missing_token - | GET /v1/responses/{id} | authorization: Digest hf_alice |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer⟨09⟩hf_alice |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer:hf_alice |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer⟨c2 a0⟩hf_alice |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer hf_al⟨ff⟩ice |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer hf_é |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer ⟨x×5000⟩ |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer hf_alice; authorization: Bearer hf_alice |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer hf_alice; authorization: Bearer hf_bob |
401 missing_token - | GET /v1/responses/{id} | authorization: Bearer hf_alice; Authorization: |
401 invalid_token - | GET /v1/responses/{id} | authorization: Bearer hf_invalid |
401 invalid_token - | GET /v1/responses/{id} | authorization: Bearer nonsense |
401 invalid_token - | GET /v1/responses/{id} | authorization: Bearer hf_invalid hf_alice |
401 invalid_token - | POST /v1/responses | authorization: Bearer hf_invalid_x | {"input": "x"}
401 organization_token_not_supported - | POST /v1/responses | authorization: Bearer hf_org_acme | {"input": "x"}
403 inference_provider_permission_required - | POST /v1/responses | authorization: Bearer hf_noinf_alice | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: text/plain | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: application/x-www-form-urlencoded | input=x
415 unsupported_media_type - | POST /v1/responses | content-type: multipart/form-data ,boundary=b | --b--
415 unsupported_media_type - | POST /v1/responses | content-type: application/jsonp | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: json | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: text/json | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: */* | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: application/⟨ff⟩json | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-type: text/plain, application/json | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses/{id}/approvals | content-type: text/plain | {"approve": true}
415 unsupported_media_type - | POST /v1/responses/{id}/approvals | content-type: application/x-www-form-urlencoded | approve=true
415 unsupported_media_type - | POST /v1/responses | content-encoding: gzip | ⟨1f 8b 08 00 00 00 00 00 00 03 ab 56 ca cc 2b 28 2d 51 b2 52 50 aa 50 aa 05 00⟩
415 unsupported_media_type - | POST /v1/responses | content-encoding: gzip | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-encoding: br | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-encoding: identity, gzip | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses | content-encoding: identity; content-encoding: deflate | {"input": "x"}
415 unsupported_media_type - | POST /v1/responses/{id}/approvals | content-encoding: zstd | {"approve": true}
400 invalid_json - | POST /v1/responses | content-type: application/json ,charset=utf-16 | ⟨ff fe 7b 00 7d 00⟩
400 invalid_json - | POST /v1/responses | |
400 invalid_json - | POST /v1/responses | content-type: text/plain |
400 invalid_value view | POST /v1/responses?view=everything | | {"input": "x", "stream": true}
400 invalid_value view | POST /v1/responses?view=all&view=all | | {"input": "x", "stream": true}
"#;

/// Rows of `status code param | METHOD path | headers | body`: the body's frame is what is wrong.
pub const FRAMES: &str = r#"
400 invalid_json - | POST /v1/responses | content-length: 13 | {"input": "x"}
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | 5⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | zz⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | -e⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | ffffffffffffffffff⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | ⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | e⟨0a⟩{"input": "x"}⟨0a⟩0⟨0a 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | {"input": "x"}
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | e ,⟨x×100000⟩⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | 0⟨0d 0a 0d 0a⟩
413 request_too_large - | POST /v1/responses | | ⟨ ×16777217⟩
413 request_too_large - | POST /v1/responses | content-type: text/plain | ⟨x×16777217⟩
413 request_too_large - | POST /v1/responses/{id}/approvals | | ⟨ ×16777217⟩
413 request_too_large - | POST /v1/responses | transfer-encoding: chunked | 1000001⟨0d 0a⟩⟨ ×16777217⟩⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses | | ⟨ ×16777216⟩
400 string_above_max_length input | POST /v1/responses | | {"input": "⟨x×16777203⟩"}
"#;

/// Rows as above: the client hangs up in the middle of the body, and may get no answer.
pub const HALVES: &str = r#"
400 invalid_json - | POST /v1/responses | content-length: 1000 | {"input": "x"}
400 invalid_json - | POST /v1/responses | content-length: 15 | {"input": "x"}
400 invalid_json - | POST /v1/responses | content-length: 16777216 | {"input": "x"}
400 invalid_json - | POST /v1/responses/{id}/approvals | content-length: 1000 | {"approve": true}
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked |
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | e⟨0d 0a⟩{"input": "x"}
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | e⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩
400 invalid_json - | POST /v1/responses | transfer-encoding: chunked | ff⟨0d 0a⟩{"input": "x"}⟨0d 0a⟩0⟨0d 0a 0d 0a⟩
400 invalid_json - | POST /v1/responses/{id}/approvals | transfer-encoding: chunked | 11⟨0d 0a⟩{"approve": true}
"#;

/// Rows of `status code param | METHOD path | headers | body`.
pub const PATHS: &str = r#"
404 not_found - | GET /nothing | |
404 not_found - | GET /v1 | |
404 not_found - | GET /v1/ | |
404 not_found - | GET /v2/responses | |
404 not_found - | GET /V1/responses | |
404 not_found - | GET //v1/responses | |
404 not_found - | GET /v1//responses | |
404 not_found - | GET /v1/responses/ | |
404 not_found - | GET /v1/responses/{id}/ | |
404 not_found - | GET /v1/responses/{id}/nothing | |
404 not_found - | GET /v1/responses/{id}/events/ | |
404 not_found - | GET /v1/responses/{id}/events/1 | |
404 not_found - | POST /v1/responses/{id}/Cancel | |
404 not_found - | GET /v1/../../etc/passwd | |
404 not_found - | GET /..%2f..%2fetc%2fpasswd | |
404 not_found - | GET /%00 | |
404 not_found - | GET /%ff%fe | |
404 not_found - | GET /⟨x×8000⟩ | |
404 not_found - | POST /v1/chat/completions | | {"model": "x", "messages": []}
404 not_found - | GET /v1/sessions | |
404 not_found - | GET /v1/sessions/ | |
404 not_found - | GET /api/config | |
404 not_found - | OPTIONS * | |
405 method_not_allowed - | PUT /v1/responses | | {}
405 method_not_allowed - | PATCH /v1/responses | | {}
405 method_not_allowed - | DELETE /v1/responses | |
405 method_not_allowed - | OPTIONS /v1/responses | |
405 method_not_allowed - | TRACE /v1/responses | |
405 method_not_allowed - | BREW /v1/responses | |
405 method_not_allowed - | get /v1/responses | |
405 method_not_allowed - | POST /v1/responses/{id} | | {"input": "x"}
405 method_not_allowed - | PUT /v1/responses/{id} | | {}
405 method_not_allowed - | PATCH /v1/responses/{id} | | {}
405 method_not_allowed - | POST /v1/responses/{id}/events | | {}
405 method_not_allowed - | DELETE /v1/responses/{id}/events | |
405 method_not_allowed - | GET /v1/responses/{id}/cancel | |
405 method_not_allowed - | DELETE /v1/responses/{id}/cancel | |
405 method_not_allowed - | GET /v1/responses/{id}/approvals | |
405 method_not_allowed - | PUT /v1/responses/{id}/approvals | | {"approve": true}
405 method_not_allowed - | POST /v1/sessions/sess_00000000000000000000000000000000 | | {}
405 method_not_allowed - | POST /healthz | |
405 method_not_allowed - | DELETE /readyz | |
405 method_not_allowed - | POST / | | {}
405 method_not_allowed - | POST /api/config/model | | {}
404 response_not_found - | GET /v1/responses/x | |
404 response_not_found - | GET /v1/responses/{unknown} | |
404 response_not_found - | GET /v1/responses/resp_ | |
404 response_not_found - | GET /v1/responses/{id}0 | |
404 response_not_found - | GET /v1/responses/{id}%00 | |
404 response_not_found - | GET /v1/responses/{id}%20 | |
404 response_not_found - | GET /v1/responses/%20{id} | |
404 response_not_found - | GET /v1/responses/{id}%2fevents | |
404 response_not_found - | GET /v1/responses/%ff | |
404 response_not_found - | GET /v1/responses/%zz | |
404 response_not_found - | GET /v1/responses/% | |
404 response_not_found - | GET /v1/responses/%f0%9f%8e%88 | |
404 response_not_found - | GET /v1/responses/.. | |
404 response_not_found - | GET /v1/responses/'%20or%201=1-- | |
404 response_not_found - | GET /v1/responses/⟨r×8000⟩ | |
404 response_not_found - | GET /v1/responses/RESP_00000000000000000000000000000000 | |
404 response_not_found - | GET /v1/responses/{unknown}/events | |
404 response_not_found - | GET /v1/responses/%00/events | |
404 response_not_found - | GET /v1/responses/{unknown}/events?starting_after=x | |
404 response_not_found - | GET /v1/responses/{unknown}?stream=true&view=x | |
404 response_not_found - | POST /v1/responses/{unknown}/cancel | |
404 response_not_found - | POST /v1/responses/%ff/cancel | |
404 response_not_found - | POST /v1/responses/{unknown}/approvals | | {"approve": true}
404 response_not_found - | POST /v1/responses/%ff/approvals | | {"approve": true}
404 session_not_found - | GET /v1/sessions/x | |
404 session_not_found - | GET /v1/sessions/{id} | |
404 session_not_found - | GET /v1/sessions/%ff | |
404 session_not_found - | GET /v1/sessions/sess_00000000000000000000000000000000 | |
404 session_not_found - | DELETE /v1/sessions/%00 | |
404 session_not_found - | DELETE /v1/sessions/sess_00000000000000000000000000000000 | |
"#;

/// Rows of `status code param | METHOD path | headers | body`.
pub const QUERIES: &str = r#"
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after= | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=-1 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=1.0 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=1e0 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=%2B1 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=+1 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=0x1 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=x | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=%00 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=%ff | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=%zz | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=%d9%a1 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=999999 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=18446744073709551615 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=18446744073709551616 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=⟨9×5000⟩ | |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=999999 | last-event-id: nonsense |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=999999 | last-event-id: ⟨ff⟩ |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=999999 | last-event-id: -1 |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=999999 | last-event-id: 18446744073709551616 |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=999999 | last-event-id: ⟨1×5000⟩ |
400 invalid_cursor starting_after | GET /v1/responses/{id}/events?starting_after=x | accept: application/json |
400 invalid_value starting_after | GET /v1/responses/{id}/events?starting_after=1&starting_after=1 | |
400 invalid_value starting_after | GET /v1/responses/{id}/events?starting_after=1&%73tarting_after=2 | |
400 invalid_value view | GET /v1/responses/{id}/events?view= | |
400 invalid_value view | GET /v1/responses/{id}/events?view=ALL | |
400 invalid_value view | GET /v1/responses/{id}/events?view=%00 | |
400 invalid_value view | GET /v1/responses/{id}/events?view=all&view=openai | |
400 invalid_cursor starting_after | GET /v1/responses/{id}?stream=true&starting_after=-1 | |
400 invalid_cursor starting_after | GET /v1/responses/{id}?stream=true&starting_after=null | |
400 invalid_cursor starting_after | GET /v1/responses/{id}?stream=true&starting_after=18446744073709551615 | |
400 invalid_value view | GET /v1/responses/{id}?stream=true&view=nothing | |
400 invalid_value stream | GET /v1/responses/{id}?stream=true&stream=false | |
400 invalid_value limit | GET /v1/responses/{id}/events?limit=0 | accept: application/json |
400 invalid_value limit | GET /v1/responses/{id}/events?limit=-1 | accept: application/json |
400 invalid_value limit | GET /v1/responses/{id}/events?limit=1001 | accept: application/json |
400 invalid_value limit | GET /v1/responses/{id}/events?limit=ten | accept: application/json |
400 invalid_value limit | GET /v1/responses/{id}/events?limit= | accept: application/json |
400 invalid_value limit | GET /v1/responses/{id}/events?limit=99999999999999999999 | accept: application/json |
400 invalid_value limit | GET /v1/responses/{id}/events?limit=1&limit=2 | accept: application/json |
400 invalid_value limit | GET /v1/responses?limit=0 | |
400 invalid_value limit | GET /v1/responses?limit=101 | |
400 invalid_value limit | GET /v1/responses?limit=-5 | |
400 invalid_value limit | GET /v1/responses?limit=%2B5 | |
400 invalid_value limit | GET /v1/responses?limit=x | |
400 invalid_value limit | GET /v1/responses?limit= | |
400 invalid_value limit | GET /v1/responses?limit=1&limit=1 | |
400 invalid_value order | GET /v1/responses?order=up | |
400 invalid_value order | GET /v1/responses?order= | |
400 invalid_value order | GET /v1/responses?order=asc&order=desc | |
400 invalid_cursor after | GET /v1/responses?after= | |
400 invalid_cursor after | GET /v1/responses?after=x | |
400 invalid_cursor after | GET /v1/responses?after=%00 | |
400 invalid_cursor after | GET /v1/responses?after=%ff%fe | |
400 invalid_value after | GET /v1/responses?after={unknown}&after={unknown} | |
400 invalid_value status | GET /v1/responses?status=done | |
400 invalid_value status | GET /v1/responses?status= | |
400 invalid_value status | GET /v1/responses?status=COMPLETED | |
400 invalid_value session_id | GET /v1/responses?session_id=x | |
400 invalid_value session_id | GET /v1/responses?session_id={id} | |
400 invalid_value session_id | GET /v1/responses?session_id=%00 | |
400 invalid_value metadata | GET /v1/responses?metadata=x | |
"#;
