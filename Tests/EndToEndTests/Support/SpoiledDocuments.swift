extension ChangingRepository.Documents {
    /// A fault of metadata, with its name.
    struct Fault: Sendable {
        let name: String
        let make: @Sendable (inout ChangingRepository.Documents, inout Dice) -> Void
    }

    /// Replaces one place of `old`, in one of the documents that has it.
    private mutating func replace(
        _ old: String, with new: String, in types: [String] = ["primary", "filelists", "other"], _ dice: inout Dice
    ) {
        let type = dice.pick(types.filter { texts[$0]?.contains(old) == true } + (texts["primary"] == nil ? [] : ["primary"]))
        guard let text = texts[type] else { return }
        let places = text.ranges(of: old)
        if places.isEmpty { return }
        texts[type]?.replaceSubrange(dice.pick(places), with: new)
    }

    private static func requires(_ name: String) -> String {
        "  <format>\n    <rpm:requires>\n      <rpm:entry name=\"\(name)\"/>\n    </rpm:requires>\n"
    }

    private static let explosive =
        "(" + (1...12).map { "((a\($0) and b\($0)) or (c\($0) and d\($0)))" }.joined(separator: " or ") + ")"

    /// Faults of documents whose checksums are right, and others.
    static let faults: [Fault] = [
        Fault(name: "a document type declaration") { documents, dice in
            documents.replace("?>\n<", with: "?>\n<!DOCTYPE a [<!ENTITY b \"c\">]>\n<", &dice)
        },
        Fault(name: "a dependency that is too long") { documents, dice in
            documents.replace("  <format>\n", with: requires(String(repeating: "x", count: 20_000)), in: ["primary"], &dice)
        },
        Fault(name: "a dependency that explodes") { documents, dice in
            documents.replace("  <format>\n", with: requires(explosive), in: ["primary"], &dice)
        },
        Fault(name: "the pkgid of another package") { documents, dice in
            let type = dice.pick(documents.texts.keys.filter { $0 != "modules" }.sorted())
            guard let text = documents.texts[type] else { return }
            let ids = text.matches(of: /[0-9a-f]{64}/).map(\.range)
            documents.texts[type]?.replaceSubrange(dice.pick(ids), with: text[dice.pick(ids)])
        },
        Fault(name: "a pkgid that no document has") { documents, dice in
            let type = dice.pick(documents.texts.keys.filter { $0 != "modules" }.sorted())
            guard let text = documents.texts[type] else { return }
            let ids = text.matches(of: /[0-9a-f]{64}/).map(\.range)
            documents.texts[type]?.replaceSubrange(dice.pick(ids), with: String(repeating: "e", count: 64))
        },
        Fault(name: "a wrong number of packages") { documents, dice in
            documents.replace(" packages=\"", with: " packages=\"1", &dice)
        },
        Fault(name: "a document that is too large when it is decompressed") { documents, dice in
            let type = dice.pick(documents.texts.keys.sorted())
            let text = Array((documents.texts[type] ?? "").utf8)
            documents.stored[type] = ChangingRepository.gzip(text.dropLast(20) + [UInt8](repeating: 0x20, count: 3 << 20) + text.suffix(20))
        },
        Fault(name: "a damaged compression") { documents, dice in
            let type = dice.pick(documents.texts.keys.sorted())
            var bytes = ChangingRepository.gzip(Array((documents.texts[type] ?? "").utf8))
            bytes[dice.roll(bytes.count)] ^= 0x55
            documents.stored[type] = bytes
        },
        Fault(name: "a compressed document that ends early") { documents, dice in
            let type = dice.pick(documents.texts.keys.sorted())
            let bytes = ChangingRepository.gzip(Array((documents.texts[type] ?? "").utf8))
            documents.stored[type] = Array(bytes.prefix(dice.roll(bytes.count)))
        },
        Fault(name: "another checksum than that of repomd.xml") { documents, dice in
            documents.wrong = dice.pick(documents.texts.keys.sorted())
        },
        Fault(name: "a document that ends early") { documents, dice in
            let type = dice.pick(documents.texts.keys.sorted())
            documents.texts[type] = documents.texts[type].map { String($0.prefix(dice.roll($0.count))) }
        },
        Fault(name: "a comment in an element") { documents, dice in
            documents.replace("<version ", with: "<!-- </package> <version --><version ", &dice)
        },
        Fault(name: "a CDATA section") { documents, dice in
            documents.replace("<summary>", with: "<summary><![CDATA[</package>]]>", in: ["primary"], &dice)
        },
        Fault(name: "an element that is not closed") { documents, dice in
            documents.replace("</package>", with: "", &dice)
        },
        Fault(name: "an unknown entity") { documents, dice in
            documents.replace("<version ", with: "&a;<version ", &dice)
        },
        Fault(name: "an empty name") { documents, dice in
            documents.replace("<name>p", with: "<name></name><x>p", in: ["primary"], &dice)
        },
        Fault(name: "a name with a slash") { documents, dice in
            documents.replace("<name>p", with: "<name>p/", in: ["primary"], &dice)
        },
        Fault(name: "a location outside of the repository") { documents, dice in
            documents.replace("href=\"Packages/", with: "href=\"../../../../etc/", in: ["primary"], &dice)
        },
        Fault(name: "a file that is missing") { documents, dice in
            documents.replace("href=\"Packages/", with: "href=\"Missing/", in: ["primary"], &dice)
        },
        Fault(name: "another size") { documents, dice in
            documents.replace("<size package=\"", with: "<size package=\"1", in: ["primary"], &dice)
        },
        Fault(name: "a zero byte") { documents, dice in
            documents.replace("<version ", with: "\0<version ", &dice)
        },
        Fault(name: "another encoding") { documents, dice in
            documents.replace("encoding=\"UTF-8\"", with: "encoding=\"ISO-8859-1\"", &dice)
        },
        Fault(name: "another namespace") { documents, dice in
            documents.replace("linux.duke.edu", with: "example.org", &dice)
        },
        Fault(name: "text after the root element") { documents, dice in
            let type = dice.pick(documents.texts.keys.sorted())
            documents.texts[type]? += "x"
        },
        Fault(name: "modules that are no YAML") { documents, _ in
            documents.texts["modules"] = "---\ndocument: [modulemd\n"
        },
    ]
}
