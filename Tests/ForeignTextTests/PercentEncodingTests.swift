import ForeignText
import Testing

@Suite struct PercentEncodingTests {
    @Test("every byte that is not unreserved in RFC 3986 is encoded")
    func everyOtherByteIsEncoded() {
        #expect("azAZ09-._~".percentEncoded == "azAZ09-._~")
        #expect("a+b c/d?e=f&g%".percentEncoded == "a%2Bb%20c%2Fd%3Fe%3Df%26g%25")
        #expect("é\n".percentEncoded == "%C3%A9%0A")
    }
}
