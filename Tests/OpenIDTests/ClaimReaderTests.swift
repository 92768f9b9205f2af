import Foundation
import Testing

@testable import OpenID

@Suite("JSON of tokens")
struct ClaimReaderTests {
    @Test("Foundation reads the same texts, and refuses the same ones, except for members that are there twice")
    func foundation() throws {
        let texts = [
            #"{}"#, #" { "a" : 1 } "#, #"{"a":[1,2,{"b":null}],"c":true}"#, #"{"a":"\u00e9\n\"\\\/\ud83d\ude00"}"#, #"{"a":-0.5e+3}"#,
            #"{"a":01}"#,
            #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":+1}"#, #"{"a":1e}"#, #"{"a":nul}"#, #"{"a":"\x"}"#, #"{"a":"\ud83d"}"#, #"{"a":"\u12"}"#,
            #"{,}"#, #"{"a"}"#, #"{"a":}"#, #"{a:1}"#, #"{"a":1"#, #"{"a":1}}"#, "{\"a\":\"\n\"}", "",
            #"{"a":NaN}"#, #"{"a":Infinity}"#, "{\"a\":1}\0",
        ]
        for text in texts {
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) is [String: Any]
            #expect((Claims(text.utf8) != nil) == isJSON, "\(text)")
        }
        #expect(Claims(#"{"a":1,"\u0061":2}"#.utf8) == nil)
        // Foundation accepts a comma at the end.
        #expect(Claims(#"{"a":1,}"#.utf8) == nil && Claims(#"{"a":[1,]}"#.utf8) == nil)
        #expect(Claims([UInt8](#"{"a":""#.utf8) + [0xC3, 0x28] + [UInt8](#""}"#.utf8)) == nil)
    }

    @Test("Texts with escapes")
    func escapes() {
        #expect(Claims(#"{"a":"\u00e9\n\"\\\/\ud83d\ude00"}"#.utf8)?["a"]?.text == "é\n\"\\/😀")
    }

    @Test("Base64 without padding has one text for each value")
    func base64() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text.utf8) == bytes)
            #expect(text == Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""))
        }
        for text in ["A", "AB", "AAB", "AA==", "A A", "AA+A", "AA/A", "AAAAA"] { #expect(Base64URL.decode(text.utf8) == nil, "\(text)") }
    }
}
