/// The aliases of a YAML document: `*name`, which stands for a part that is written elsewhere.
///
/// A document of a few hundred bytes can stand for any number of nodes if its aliases stand for parts
/// with aliases. Yams compares the keys of mappings with all their parts, so it never ends with such a
/// document. Documents of strangers are therefore checked before they are parsed.
public enum YAMLAliases {
    /// The maximum number of aliases. A document stands for some hundred times its nodes at most.
    public static let most = 16

    /// Returns whether a text has more aliases than ``most``. A text in quotation marks that looks like an
    /// alias counts too.
    public static func areTooMany(in text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var (count, last) = (0, UInt8(ascii: "\n"))
            for (place, byte) in bytes.enumerated() {
                // An alias is at the beginning of a node, and its name has letters, digits, hyphens and underscores.
                if byte == UInt8(ascii: "*"), place + 1 < bytes.count, isNameByte(bytes[place + 1]), beginnings.contains(last) {
                    count += 1
                    if count > most { return true }
                }
                if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") { last = byte }
            }
            return false
        }
    }

    /// The bytes after which a node can begin.
    private static let beginnings = Array("\n\r[{,-?:".utf8)

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }
}
