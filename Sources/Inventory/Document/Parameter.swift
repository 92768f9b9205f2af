import ForeignText

/// A *parameter* of an inventory gets its value from an environment variable. Templates and build
/// arguments use it.
public struct Parameter: Hashable, Sendable {
    /// The name in templates, for example `dpdk_clone_url`.
    public let name: String
    /// The environment variable, for example `DPDK_CI_CONTAINERS_DPDK_CLONE_URL`.
    public let environment: String
    /// The value if the variable is unset or empty. `nil`: the parameter has no value then.
    public let defaultValue: String?
    public let values: Values
    public let description: String
    /// The build argument that gets the value. `nil`: only templates see it.
    public let argument: String?

    /// The names that templates always have. No parameter and no variable may have one of them.
    static let reservedNames: Set<String> = ["image", "platform", "os", "architecture", "variant", "packages"]

    /// The values that a parameter can have.
    public enum Values: Hashable, Sendable {
        /// A text without control characters.
        case text
        /// A whole number of at least 1.
        case number
        case url
        /// A folder of this host. It becomes a build context with the parameter's name.
        case folder
        case choice([String])
    }

    /// Whether the values are `Y` and `N`. Templates see a switch as true or false.
    public var isSwitch: Bool {
        if case .choice(let choices) = values { Set(choices) == ["Y", "N"] } else { false }
    }

    /// Returns the end of a sentence that begins with the parameter, or `nil` if the value is right.
    public func complaint(about value: String) -> String? {
        let isRight: Bool
        let expected: String
        switch values {
        case .text: (isRight, expected) = (value.isPlainLine, "a text without line breaks")
        case .number: (isRight, expected) = (Int(value).map { $0 > 0 && String($0) == value } ?? false, "a whole number of at least 1")
        case .url: (isRight, expected) = (Self.isURL(value), "an address like https://example.org/dpdk")
        case .folder: (isRight, expected) = (!value.isEmpty && value.isPlainLine, "the path of a folder")
        case .choice(let choices): (isRight, expected) = (choices.contains(value), choices.joined(separator: " or "))
        }
        return isRight ? nil : "must be \(expected), not \(value.quoted)"
    }

    /// The values in words, for a table.
    public var valuesText: String {
        switch values {
        case .text: "text"
        case .number: "number"
        case .url: "url"
        case .folder: "folder"
        case .choice(let choices): choices.joined(separator: " or ")
        }
    }

    private static func isURL(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1)
        guard parts.count == 2, parts[1].starts(with: "//".utf8), parts[1].count > 2 else { return false }
        let isScheme =
            parts[0].first.map(\.isLowercaseLetter) == true
            && parts[0].allSatisfy { $0.isLowercaseLetter || "0123456789+.-".utf8.contains($0) }
        return isScheme && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

extension UInt8 {
    fileprivate var isLowercaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}

extension String {
    /// Whether the text has no control character, so that it is one line.
    var isPlainLine: Bool { utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
}
