import CGSSAPI
import ForeignText

/// A GSS problem is the status of a failed call of GSSAPI.
struct GSSProblem: Error, Hashable, CustomStringConvertible {
    let major: OM_uint32
    let minor: OM_uint32
    /// The explanation of GSSAPI, for the operator's log. Clients do not see it, because it names keys.
    let description: String

    init(major: OM_uint32, minor: OM_uint32) {
        self.major = major
        self.minor = minor
        let texts = Self.texts(of: major, GSS_C_GSS_CODE) + (minor == 0 ? [] : Self.texts(of: minor, GSS_C_MECH_CODE))
        description = texts.joined(separator: ": ").printable(most: 500)
    }

    /// Whether the explanation has these words. The number of the minor status would not tell, because
    /// GSSAPI replaces the numbers of libkrb5. The words are English, because nothing in this process
    /// calls setlocale(3).
    func says(_ words: String) -> Bool { description.contains(words) }

    private static func texts(of status: OM_uint32, _ kind: CInt) -> [String] {
        var texts: [String] = []
        var context: OM_uint32 = 0
        repeat {
            var minor: OM_uint32 = 0
            let text = GSSBuffer()
            guard gss_display_status(&minor, status, kind, nil, &context, &text.buffer) == 0 else { break }
            texts.append(text.text)
        } while context != 0 && texts.count < 8
        return texts
    }
}

/// A GSS buffer holds bytes that GSSAPI has allocated.
final class GSSBuffer {
    var buffer = gss_buffer_desc_struct()

    deinit {
        var minor: OM_uint32 = 0
        gss_release_buffer(&minor, &buffer)
    }

    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: buffer.value, count: buffer.value == nil ? 0 : buffer.length)) }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
