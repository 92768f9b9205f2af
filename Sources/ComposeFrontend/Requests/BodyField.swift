import ForeignText

/// A body field is a value in a request's body, with the name that messages use for it. Example:
/// `source.packages[2]`.
///
/// The methods that read a member return `nil` if the member is absent. A member that is present must
/// have the right type, and `null` is refused.
struct BodyField {
    let name: String
    let value: JSONValue

    /// Creates the field for the whole body. Throws if the body is not an object.
    init(root value: JSONValue) throws(RequestRejection) {
        guard case .object = value else {
            throw .badRequest("The body must be a JSON object, not \(value.shortDescription).")
        }
        name = ""
        self.value = value
    }

    private init(name: String, value: JSONValue) {
        self.name = name
        self.value = value
    }

    /// Returns a member of any type, or `nil` if there is no member with this name.
    func member(_ key: String) -> BodyField? {
        guard case .object(let members) = value, let member = members[key] else { return nil }
        return BodyField(name: name.isEmpty ? key : "\(name).\(key)", value: member)
    }

    func object(_ key: String) throws(RequestRejection) -> BodyField? {
        guard let member = member(key) else { return nil }
        guard case .object = member.value else { throw member.mustBe("an object") }
        return member
    }

    func string(_ key: String) throws(RequestRejection) -> String? {
        guard let member = member(key) else { return nil }
        guard case .string(let string) = member.value else { throw member.mustBe("a string") }
        return string
    }

    func strings(_ key: String) throws(RequestRejection) -> [String]? {
        guard let member = member(key) else { return nil }
        guard case .array(let elements) = member.value else { throw member.mustBe("a list of strings") }
        var strings: [String] = []
        strings.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard case .string(let string) = element else {
                throw BodyField(name: "\(member.name)[\(index)]", value: element).mustBe("a string")
            }
            strings.append(string)
        }
        return strings
    }

    func integer(_ key: String) throws(RequestRejection) -> Int? {
        guard let member = member(key) else { return nil }
        guard case .integer(let integer) = member.value else { throw member.mustBe("an integer") }
        return integer
    }

    func boolean(_ key: String) throws(RequestRejection) -> Bool? {
        guard let member = member(key) else { return nil }
        guard case .bool(let boolean) = member.value else { throw member.mustBe("true or false") }
        return boolean
    }

    func mustBe(_ what: String) -> RequestRejection {
        .badRequest("\(name) must be \(what), not \(value.shortDescription).")
    }
}

extension BodyField {
    /// The characters that a string may contain besides letters and digits. The list is the reference's. No
    /// character in it has a meaning to a shell or can end a value in a configuration file.
    static let allowedPunctuation = " -/_.:#+?$~^,"

    /// Throws ``RequestRejection`` if a string anywhere in the body contains another character. Only
    /// package names are exempt.
    func checkCharacters() throws(RequestRejection) {
        // Only a refusal needs the names of the fields.
        if !value.hasAllowedCharacters { try checkCharactersByName() }
    }

    private func checkCharactersByName() throws(RequestRejection) {
        switch value {
        case .string(let string):
            guard let wrong = string.unicodeScalars.first(where: { !$0.isAllowed }) else { return }
            let shown = wrong.isInvisible ? wrong.codePoint : String(wrong)
            throw .badRequest(
                "\(name) contains \(shown), which is not allowed there. Letters, digits and any of "
                    + "\(Self.allowedPunctuation.dropFirst().map(String.init).joined(separator: " ")) and the space are allowed.")
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                try BodyField(name: "\(name)[\(index)]", value: element).checkCharactersByName()
            }
        case .object(let members):
            for key in members.keys.sorted(by: { $0.precedesInBytes($1) }) where key != "packages" {
                try member(key)?.checkCharactersByName()
            }
        case .null, .bool, .integer, .number: break
        }
    }
}

extension JSONValue {
    fileprivate var hasAllowedCharacters: Bool {
        switch self {
        case .string(let string): string.unicodeScalars.allSatisfy(\.isAllowed)
        case .array(let elements): elements.allSatisfy(\.hasAllowedCharacters)
        case .object(let members): members.allSatisfy { $0 == "packages" || $1.hasAllowedCharacters }
        case .null, .bool, .integer, .number: true
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isAllowed: Bool {
        // Nearly all text is ASCII, which needs no table.
        if isASCII {
            return switch self {
            case "a"..."z", "A"..."Z", "0"..."9": true
            default: BodyField.allowedPunctuation.unicodeScalars.contains(self)
            }
        }
        return switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
            .otherNumber:
            true
        default: false
        }
    }
}
