//! Bodies of `POST /v1/responses`.

/// Rows of `status code param body`.
pub const JSON: &str = r#"
400 invalid_json - ⟨20⟩
400 invalid_json - {
400 invalid_json - }
400 invalid_json - nonsense
400 invalid_json - []
400 invalid_json - null
400 invalid_json - true
400 invalid_json - 7
400 invalid_json - "x"
400 invalid_json - [{"input": "x"}]
400 invalid_json - {"input": "x"
400 invalid_json - {"input": "x"}}
400 invalid_json - {"input": "x"} x
400 invalid_json - {"input": "x"}{"input": "y"}
400 invalid_json - {"input": "x",}
400 invalid_json - {"input" "x"}
400 invalid_json - {input: "x"}
400 invalid_json - {'input': 'x'}
400 invalid_json - {"input": 'x'}
400 invalid_json - {"input": "x" /* no */}
400 invalid_json - // no⟨0a⟩{"input": "x"}
400 invalid_json - {"input": undefined}
400 invalid_json - {"input": "x", "stream": True}
400 invalid_json - {"input": "x", "stream": FALSE}
400 invalid_json - {"input": "x⟨00⟩"}
400 invalid_json - {"input": "x"}⟨00⟩
400 invalid_json - ⟨00⟩{"input": "x"}
400 invalid_json - {"input": "a⟨0a⟩b"}
400 invalid_json - {"input": "a⟨09⟩b"}
400 invalid_json - {"input": "a⟨1b⟩b"}
400 invalid_json - {"input": "\x41"}
400 invalid_json - {"input": "\u12"}
400 invalid_json - {"input": "\uZZZZ"}
400 invalid_json - {"input": "\ud800"}
400 invalid_json - {"input": "\udc00"}
400 invalid_json - {"input": "\ud800\ud800"}
400 invalid_json - {"input": "\ud83cx"}
400 invalid_json - {"\ud800": 1, "input": "x"}
400 invalid_json - {"input": "x
400 invalid_json - {"input": "x\
400 invalid_json - {"input": "⟨ff⟩"}
400 invalid_json - {"input": "⟨c3⟩"}
400 invalid_json - {"input": "⟨c0 af⟩"}
400 invalid_json - {"input": "⟨ed a0 80⟩"}
400 invalid_json - {"input": "⟨f4 90 80 80⟩"}
400 invalid_json - {"input": "⟨f8 88 80 80 80⟩"}
400 invalid_json - {"input": "x⟨e2 82⟩"}
400 invalid_json - {"⟨ff⟩": "y", "input": "x"}
400 invalid_json - ⟨ef bb bf⟩{"input": "x"}
400 invalid_json - ⟨fe ff 00 7b 00 7d⟩
400 invalid_json - ⟨ff fe 7b 00 22 00 69 00 6e 00 70 00 75 00 74 00 22 00 3a 00 22 00 78 00 22 00 7d 00⟩
400 invalid_json - ⟨7b 00 22 00 69 00 22 00 3a 00 31 00 7d 00⟩
400 invalid_json - ⟨00 00 00 7b 00 00 00 7d⟩
400 invalid_json - ⟨1f 8b 08 00 00 00 00 00⟩
400 invalid_json - {"input": "x", "max_cost_usd": NaN}
400 invalid_json - {"input": "x", "max_cost_usd": Infinity}
400 invalid_json - {"input": "x", "max_cost_usd": -Infinity}
400 invalid_json - {"input": "x", "max_cost_usd": 1e400}
400 invalid_json - {"input": "x", "max_cost_usd": -1e400}
400 invalid_json - {"input": "x", "max_cost_usd": 1e999999999999}
400 invalid_json - {"input": "x", "max_cost_usd": ⟨9×400⟩}
400 invalid_json - {"input": "x", "max_cost_usd": 01}
400 invalid_json - {"input": "x", "max_cost_usd": +1}
400 invalid_json - {"input": "x", "max_cost_usd": .5}
400 invalid_json - {"input": "x", "max_cost_usd": 1.}
400 invalid_json - {"input": "x", "max_cost_usd": 1e}
400 invalid_json - {"input": "x", "max_cost_usd": 0x10}
400 invalid_json - {"input": "x", "max_cost_usd": 1_000}
400 invalid_json - {"input": "x", "max_cost_usd": 1,5}
400 invalid_json - {"input": "x", "max_cost_usd": 1, "max_cost_usd": 500}
400 invalid_json - {"input": "x", "max_cost_usd": 1, "max_cost_usd": 1}
400 invalid_json - {"input": "x", "max_cost_usd": 1, "max_cost_us\u0064": 500}
400 invalid_json - {"input": "x", "input": "y"}
400 invalid_json - {"input": "x", "metadata": {"a": "1", "a": "2"}}
400 invalid_json - {"input": [{"role": "user", "role": "system", "content": "x"}]}
400 invalid_json - {"input": "x", "unknown": {"deep": [{"a": 1, "a": 1}]}}
400 invalid_json - {"input": "x", "": 1, "": 2}
400 invalid_json - ⟨[×100000⟩
400 invalid_json - ⟨{"a":×100000⟩
400 invalid_json - {"input": ⟨[×200⟩⟨]×200⟩}
400 invalid_json - {"input": "x", "unknown": ⟨[×200⟩⟨]×200⟩}
400 invalid_json - {"input": "x", "metadata": ⟨{"a":×200⟩1⟨}×200⟩}
400 invalid_json - {"input": "x", "unknown": ⟨[×100000⟩⟨]×100000⟩}
400 invalid_json - {"input": "x", "unknown": ⟨[{"a":×50000⟩1⟨}]×50000⟩}
"#;

/// Rows of `status code param body`.
pub const INPUT: &str = r#"
400 missing_required_parameter input {}
400 missing_required_parameter input {"input": null}
400 missing_required_parameter input {"Input": "x"}
400 missing_required_parameter input {"messages": [{"role": "user", "content": "x"}]}
400 invalid_type input {"input": 7}
400 invalid_type input {"input": -0.0}
400 invalid_type input {"input": true}
400 invalid_type input {"input": {}}
400 invalid_type input {"input": {"role": "user", "content": "x"}}
400 empty_input input {"input": ""}
400 empty_input input {"input": " "}
400 empty_input input {"input": "\n\t\r"}
400 empty_input input {"input": "\u00a0\u2003\u3000"}
400 empty_input input {"input": []}
400 empty_input input {"input": [{"role": "user", "content": ""}]}
400 empty_input input {"input": [{"role": "user", "content": "\n"}]}
400 empty_input input {"input": [{"role": "user", "content": []}]}
400 empty_input input {"input": [{"role": "user", "content": [{"type": "input_text", "text": ""}]}]}
400 empty_input input {"input": [{"role": "user", "content": "x"}, {"role": "user", "content": " "}]}
400 invalid_type input[0] {"input": ["x"]}
400 invalid_type input[0] {"input": [null]}
400 invalid_type input[0] {"input": [[]]}
400 invalid_type input[1] {"input": [{"role": "user", "content": "x"}, 5]}
400 invalid_type input[0] {"input": ⟨[×100⟩⟨]×100⟩}
400 missing_required_parameter input[0].role {"input": [{}]}
400 missing_required_parameter input[0].role {"input": [{"content": "x"}]}
400 missing_required_parameter input[0].role {"input": [{"role": null, "content": "x"}]}
400 missing_required_parameter input[0].content {"input": [{"role": "user"}]}
400 missing_required_parameter input[0].content {"input": [{"role": "user", "content": null}]}
400 invalid_type input[0].role {"input": [{"role": 1, "content": "x"}]}
400 invalid_type input[0].role {"input": [{"role": ["user"], "content": "x"}]}
400 invalid_type input[0].content {"input": [{"role": "user", "content": 5}]}
400 invalid_type input[0].content {"input": [{"role": "user", "content": {"type": "input_text", "text": "x"}}]}
400 invalid_type input[0].content {"input": [{"role": "user", "content": false}]}
400 invalid_type input[0].content[0] {"input": [{"role": "user", "content": ["x"]}]}
400 invalid_type input[0].content[0] {"input": [{"role": "user", "content": [null]}]}
400 missing_required_parameter input[0].content[0].type {"input": [{"role": "user", "content": [{}]}]}
400 missing_required_parameter input[0].content[0].text {"input": [{"role": "user", "content": [{"type": "input_text"}]}]}
400 missing_required_parameter input[0].content[0].text {"input": [{"role": "user", "content": [{"type": "text", "text": null}]}]}
400 missing_required_parameter input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image"}]}]}
400 invalid_type input[0].content[0].type {"input": [{"role": "user", "content": [{"type": 7}]}]}
400 invalid_type input[0].content[0].text {"input": [{"role": "user", "content": [{"type": "input_text", "text": 7}]}]}
400 invalid_type input[0].content[1].text {"input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}, {"type": "input_text", "text": {}}]}]}
400 invalid_type input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {"url": "https://x"}}]}]}
400 invalid_value input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": ""}]}]}
400 invalid_value input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "http://169.254.169.254/"}]}]}
400 invalid_value input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc/passwd"}]}]}
400 invalid_value input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "javascript:alert(1)"}]}]}
400 invalid_value input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:text/html,x"}]}]}
400 unsupported_content input[0].content[0].type {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}
400 unsupported_content input[0].content[0].type {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}
400 unsupported_content input[0].content[0].type {"input": [{"role": "user", "content": [{"type": "image_url"}]}]}
400 unsupported_content input[0].content[0].type {"input": [{"role": "user", "content": [{"type": ""}]}]}
400 unsupported_content input[0].content[0].type {"input": [{"role": "user", "content": [{"type": "⟨x×2000⟩"}]}]}
400 unsupported_content input[0].type {"input": [{"type": "item_reference", "id": "x"}]}
400 unsupported_content input[0].type {"input": [{"type": "reasoning", "summary": []}]}
400 unsupported_content input[0].type {"input": [{"type": "", "role": "user", "content": "x"}]}
400 unsupported_content input[0].type {"input": [{"type": "Message", "role": "user", "content": "x"}]}
400 unsupported_content input[0].type {"input": [{"type": "⟨x×1000000⟩"}]}
400 invalid_type input[0].type {"input": [{"type": 1, "role": "user", "content": "x"}]}
400 invalid_value input[0].role {"input": [{"role": "robot", "content": "x"}]}
400 invalid_value input[0].role {"input": [{"role": "User", "content": "x"}]}
400 invalid_value input[0].role {"input": [{"role": "tool", "content": "x"}]}
400 invalid_value input[0].role {"input": [{"role": "", "content": "x"}]}
400 invalid_value input[0].role {"input": [{"role": "assistant", "content": "x"}]}
400 invalid_value input[1].role {"input": [{"role": "user", "content": "x"}, {"role": "system", "content": "x"}]}
400 invalid_value input[0].role {"input": [{"role": "developer", "content": "x"}]}
400 missing_required_parameter input[0].call_id {"input": [{"type": "function_call_output", "output": "x"}]}
400 missing_required_parameter input[0].output {"input": [{"type": "function_call_output", "call_id": "c"}]}
400 invalid_type input[0].call_id {"input": [{"type": "function_call_output", "call_id": 1, "output": "x"}]}
400 invalid_type input[0].output {"input": [{"type": "function_call_output", "call_id": "c", "output": 1}]}
400 string_above_max_length input[0].call_id {"input": [{"type": "function_call_output", "call_id": "⟨c×257⟩", "output": "x"}]}
400 string_above_max_length input[0].output {"input": [{"type": "function_call_output", "call_id": "c", "output": "⟨x×100001⟩"}]}
400 string_above_max_length input {"input": "⟨x×100001⟩"}
400 string_above_max_length input {"input": "⟨ä×100001⟩"}
400 string_above_max_length input {"input": "⟨🎈×100001⟩"}
400 string_above_max_length input[0].content {"input": [{"role": "user", "content": "⟨x×100001⟩"}]}
400 string_above_max_length input[0].content {"input": [{"role": "user", "content": [{"type": "input_text", "text": "⟨x×60000⟩"}, {"type": "input_text", "text": "⟨x×60000⟩"}]}]}
400 string_above_max_length input[1].content {"input": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "⟨x×100001⟩"}, {"role": "user", "content": "x"}]}
"#;

/// Rows of `status code param body`.
pub const FIELDS: &str = r#"
400 invalid_type instructions {"input": "x", "instructions": 1}
400 invalid_type instructions {"input": "x", "instructions": ["y"]}
400 string_above_max_length instructions {"input": "x", "instructions": "⟨ü×20001⟩"}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 0}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": -0}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": -0.0}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": -1}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": -1e308}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 500.0000001}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 501}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 18446744073709551616}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 9223372036854775808}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 1e308}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": ⟨9×300⟩}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 1e-400}
400 invalid_type max_cost_usd {"input": "x", "max_cost_usd": "5"}
400 invalid_type max_cost_usd {"input": "x", "max_cost_usd": true}
400 invalid_type max_cost_usd {"input": "x", "max_cost_usd": []}
400 invalid_type max_cost_usd {"input": "x", "max_cost_usd": {"usd": 5}}
400 invalid_type max_cost_usd {"input": "x", "max_cost_usd": ""}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": 0}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": -1}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": 3601}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": 1e300}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": 18446744073709551616}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": 0.5}
400 invalid_type wait_timeout_seconds {"input": "x", "wait_timeout_seconds": "9"}
400 invalid_type wait_timeout_seconds {"input": "x", "wait_timeout_seconds": true}
400 invalid_type wait_timeout_seconds {"input": "x", "wait_timeout_seconds": [60]}
400 invalid_type background {"input": "x", "background": "yes"}
400 invalid_type background {"input": "x", "background": "true"}
400 invalid_type background {"input": "x", "background": 1}
400 invalid_type background {"input": "x", "background": {}}
400 invalid_type stream {"input": "x", "stream": 0}
400 invalid_type stream {"input": "x", "stream": "false"}
400 invalid_type stream {"input": "x", "stream": []}
400 invalid_metadata metadata {"input": "x", "metadata": []}
400 invalid_metadata metadata {"input": "x", "metadata": "a=b"}
400 invalid_metadata metadata {"input": "x", "metadata": 7}
400 invalid_metadata metadata {"input": "x", "metadata": {"a": 1}}
400 invalid_metadata metadata {"input": "x", "metadata": {"a": null}}
400 invalid_metadata metadata {"input": "x", "metadata": {"a": true}}
400 invalid_metadata metadata {"input": "x", "metadata": {"a": {"b": "c"}}}
400 invalid_metadata metadata {"input": "x", "metadata": {"a": ["b"]}}
400 invalid_metadata metadata {"input": "x", "metadata": {"⟨k×65⟩": "v"}}
400 invalid_metadata metadata {"input": "x", "metadata": {"⟨ß×65⟩": "v"}}
400 invalid_metadata metadata {"input": "x", "metadata": {"k": "⟨v×513⟩"}}
400 invalid_metadata metadata {"input": "x", "metadata": {"0":"","1":"","2":"","3":"","4":"","5":"","6":"","7":"","8":"","9":"","a":"","b":"","c":"","d":"","e":"","f":"","g":""}}
400 invalid_value temperature {"input": "x", "temperature": 3}
400 invalid_value temperature {"input": "x", "temperature": -0.1}
400 invalid_type temperature {"input": "x", "temperature": "1"}
400 invalid_type temperature {"input": "x", "temperature": false}
400 invalid_value top_p {"input": "x", "top_p": 1.01}
400 invalid_value top_p {"input": "x", "top_p": -1}
400 invalid_type top_p {"input": "x", "top_p": []}
400 invalid_value max_output_tokens {"input": "x", "max_output_tokens": 0}
400 invalid_value max_output_tokens {"input": "x", "max_output_tokens": -1}
400 invalid_value max_output_tokens {"input": "x", "max_output_tokens": 1e30}
400 invalid_type max_output_tokens {"input": "x", "max_output_tokens": 1.5}
400 invalid_type max_output_tokens {"input": "x", "max_output_tokens": "many"}
400 invalid_value max_tool_calls {"input": "x", "max_tool_calls": 0}
400 invalid_type max_tool_calls {"input": "x", "max_tool_calls": "3"}
400 invalid_type parallel_tool_calls {"input": "x", "parallel_tool_calls": 1}
400 invalid_type store {"input": "x", "store": "no"}
400 invalid_type reasoning {"input": "x", "reasoning": "high"}
400 invalid_type reasoning {"input": "x", "reasoning": []}
400 invalid_type text {"input": "x", "text": "json"}
400 invalid_value reasoning {"input": "x", "reasoning": ⟨{"a":×100⟩1⟨}×100⟩}
400 invalid_type prompt_cache_key {"input": "x", "prompt_cache_key": 1}
400 invalid_type safety_identifier {"input": "x", "safety_identifier": {}}
400 invalid_type service_tier {"input": "x", "service_tier": true}
400 invalid_type user {"input": "x", "user": 7}
400 invalid_type truncation {"input": "x", "truncation": 7}
400 invalid_value truncation {"input": "x", "truncation": "sometimes"}
400 invalid_type fork {"input": "x", "fork": "true"}
400 missing_required_parameter previous_response_id {"input": "x", "fork": true}
400 unknown_parameter max_cost {"input": "x", "max_cost": 1}
400 unknown_parameter max_cost_us {"input": "x", "max_cost_us": 1}
400 unknown_parameter max_cost_USD {"input": "x", "max_cost_USD": 1}
400 unknown_parameter maxCostUsd {"input": "x", "maxCostUsd": 1}
400 unknown_parameter max-cost-usd {"input": "x", "max-cost-usd": 1}
400 unknown_parameter budget_usd {"input": "x", "budget_usd": 1}
400 unknown_parameter BUDGET {"input": "x", "BUDGET": 1}
400 unknown_parameter previous_response {"input": "x", "previous_response": "resp_1"}
400 unknown_parameter wait_timeout {"input": "x", "wait_timeout": 60}
400 unknown_parameter costxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx {"input": "x", "cost⟨x×100000⟩": 1}
400 unknown_parameter backgound {"input": "x", "backgound": true}
400 unknown_parameter meta_data {"input": "x", "meta_data": {}}
400 unsupported_parameter conversation {"input": "x", "conversation": "c"}
400 unsupported_parameter conversation {"input": "x", "conversation": {"id": "c"}}
400 unsupported_parameter prompt {"input": "x", "prompt": {"id": "p"}}
400 invalid_type model {"input": "x", "model": 7}
400 invalid_type model {"input": "x", "model": ["a"]}
400 model_not_found model {"input": "x", "model": ""}
400 model_not_found model {"input": "x", "model": "gpt-5"}
400 model_not_found model {"input": "x", "model": "moonshotai/Kimi-K2.6"}
400 model_not_found model {"input": "x", "model": "../../etc/passwd"}
400 model_not_found model {"input": "x", "model": "\u0000"}
400 model_not_found model {"input": "x", "model": "⟨m×100000⟩"}
400 invalid_type previous_response_id {"input": "x", "previous_response_id": 7}
400 invalid_type previous_response_id {"input": "x", "previous_response_id": ["x"]}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": ""}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": "x"}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": "resp_\u0000"}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": "RESP_00000000000000000000000000000000"}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": "{unknown}"}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": " {unknown}"}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": "⟨r×100000⟩"}
404 previous_response_not_found previous_response_id {"input": "x", "fork": true, "previous_response_id": "{unknown}"}
"#;

/// Rows of `status code param body`.
pub const TOOLS: &str = r#"
400 invalid_type tools {"input": "x", "tools": {}}
400 invalid_type tools {"input": "x", "tools": "bash"}
400 invalid_type tools[0] {"input": "x", "tools": ["bash"]}
400 invalid_type tools[0] {"input": "x", "tools": [null]}
400 missing_required_parameter tools[0].type {"input": "x", "tools": [{}]}
400 invalid_type tools[0].type {"input": "x", "tools": [{"type": 1}]}
400 unsupported_parameter tools[0].type {"input": "x", "tools": [{"type": "web_search"}]}
400 unsupported_parameter tools[0].type {"input": "x", "tools": [{"type": "code_interpreter"}]}
400 unsupported_parameter tools[0].type {"input": "x", "tools": [{"type": "Function", "name": "f"}]}
400 unsupported_parameter tools[1].type {"input": "x", "tools": [{"type": "function", "name": "f"}, {"type": "⟨x×100000⟩"}]}
400 missing_required_parameter tools[0].name {"input": "x", "tools": [{"type": "function"}]}
400 missing_required_parameter tools[0].name {"input": "x", "tools": [{"type": "function", "function": {"name": "f"}}]}
400 invalid_type tools[0].name {"input": "x", "tools": [{"type": "function", "name": 1}]}
400 invalid_value tools[0].name {"input": "x", "tools": [{"type": "function", "name": ""}]}
400 invalid_value tools[0].name {"input": "x", "tools": [{"type": "function", "name": "a b"}]}
400 invalid_value tools[0].name {"input": "x", "tools": [{"type": "function", "name": "naïve"}]}
400 invalid_value tools[0].name {"input": "x", "tools": [{"type": "function", "name": "a\u0000"}]}
400 string_above_max_length tools[0].name {"input": "x", "tools": [{"type": "function", "name": "⟨f×65⟩"}]}
400 invalid_type tools[0].description {"input": "x", "tools": [{"type": "function", "name": "f", "description": []}]}
400 string_above_max_length tools[0].description {"input": "x", "tools": [{"type": "function", "name": "f", "description": "⟨d×10001⟩"}]}
400 invalid_type tools[0].parameters {"input": "x", "tools": [{"type": "function", "name": "f", "parameters": "{}"}]}
400 invalid_value tools[0].parameters {"input": "x", "tools": [{"type": "function", "name": "f", "parameters": ⟨{"a":×100⟩1⟨}×100⟩}]}
400 invalid_type tools[0].strict {"input": "x", "tools": [{"type": "function", "name": "f", "strict": 1}]}
400 invalid_value tools[1] {"input": "x", "tools": [{"type": "function", "name": "f"}, {"type": "function", "name": "f"}]}
400 missing_required_parameter tools[0].server_label {"input": "x", "tools": [{"type": "mcp", "server_url": "https://x"}]}
400 missing_required_parameter tools[0].server_url {"input": "x", "tools": [{"type": "mcp", "server_label": "a"}]}
400 invalid_value tools[0].server_label {"input": "x", "tools": [{"type": "mcp", "server_label": "a b", "server_url": "https://x"}]}
400 invalid_value tools[0].server_label {"input": "x", "tools": [{"type": "mcp", "server_label": "ml-intern", "server_url": "https://x"}]}
400 string_above_max_length tools[0].server_label {"input": "x", "tools": [{"type": "mcp", "server_label": "⟨l×33⟩", "server_url": "https://x"}]}
400 invalid_value tools[0].server_url {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "ftp://x"}]}
400 invalid_value tools[0].server_url {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "file:///etc/passwd"}]}
400 string_above_max_length tools[0].server_url {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "https://⟨x×2000⟩"}]}
400 invalid_type tools[0].headers {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "https://x", "headers": []}]}
400 invalid_type tools[0].headers {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "https://x", "headers": {"a": 1}}]}
400 invalid_value tools[0].headers {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "https://x", "headers": {"a": "b\r\nc: d"}}]}
400 invalid_value tools[0].headers {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "https://x", "headers": {"a b": "c"}}]}
400 invalid_type tools[0].allowed_tools {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "https://x", "allowed_tools": "all"}]}
400 invalid_type tools[0].allowed_tools {"input": "x", "tools": [{"type": "mcp", "server_label": "a", "server_url": "https://x", "allowed_tools": [1]}]}
400 invalid_type webhook {"input": "x", "webhook": "https://x"}
400 missing_required_parameter webhook.url {"input": "x", "webhook": {}}
400 invalid_type webhook.url {"input": "x", "webhook": {"url": 1}}
400 invalid_value webhook.url {"input": "x", "webhook": {"url": ""}}
400 invalid_value webhook.url {"input": "x", "webhook": {"url": "ftp://x"}}
400 string_above_max_length webhook.url {"input": "x", "webhook": {"url": "https://⟨x×2000⟩"}}
400 invalid_type webhook.events {"input": "x", "webhook": {"url": "https://example.com", "events": "all"}}
400 invalid_type webhook.events {"input": "x", "webhook": {"url": "https://example.com", "events": [1]}}
400 invalid_value webhook.events {"input": "x", "webhook": {"url": "https://example.com", "events": []}}
400 invalid_value webhook.events {"input": "x", "webhook": {"url": "https://example.com", "events": ["response.output_text.delta"]}}
"#;
