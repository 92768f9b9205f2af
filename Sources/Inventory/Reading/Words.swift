import ImageModel

/// *Words* are the forms of the texts that an inventory may have. Files, make and the shell can use a
/// text of these forms without quotes.
public enum Words {
    static func isImageName(_ text: String) -> Bool {
        guard let host = try? RegistryHost("localhost") else { return false }
        return text.utf8.count <= 128 && (try? ImageRepository(host: host, path: text)) != nil
    }

    static func isParameterName(_ text: String) -> Bool {
        matches(text, first: Self.lowercase, others: Self.lowercase + Self.digits + "_", most: 64)
    }

    static func isVariableName(_ text: String) -> Bool {
        matches(text, first: Self.uppercase + "_", others: Self.uppercase + Self.digits + "_", most: 128)
    }

    static func isArgumentName(_ text: String) -> Bool {
        matches(text, first: Self.letters + "_", others: Self.letters + Self.digits + "_", most: 128)
    }

    static func isPackage(_ text: String) -> Bool {
        matches(text, first: Self.letters + Self.digits + "@", others: Self.letters + Self.digits + "@._+:=~^/-", most: 255)
    }

    /// A name of a cache, a label or a secret.
    static func isPlainName(_ text: String) -> Bool {
        matches(text, first: Self.letters + Self.digits, others: Self.letters + Self.digits + "._-", most: 64)
    }

    /// A path below a folder. No component begins with a dot.
    static func isRelativePath(_ text: String) -> Bool {
        text.utf8.count <= 512
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                matches(String($0), first: Self.letters + Self.digits + "_", others: Self.letters + Self.digits + "._+-", most: 255)
            }
    }

    /// A path in a container.
    static func isContainerPath(_ text: String) -> Bool {
        matches(text, first: "/", others: Self.letters + Self.digits + "._+/-", most: 255)
    }

    /// Returns the megabytes of a size like `10 GB`.
    public static func megabytes(_ text: String) -> Int? {
        let units = ["MB": 1, "GB": 1000, "TB": 1_000_000]
        guard let factor = units[String(text.suffix(2))] else { return nil }
        var number = text.dropLast(2)
        if number.last == " " { number.removeLast() }
        guard number.utf8.count <= 6, number.utf8.allSatisfy({ Self.digits.utf8.contains($0) }), number.first != "0" else { return nil }
        return Int(number).map { $0 * factor }
    }

    /// A pattern of a tag, with the placeholders in braces.
    static func isTag(_ pattern: String, placeholders: [String]) -> Bool {
        let filled = placeholders.reduce(pattern) { $0.replacing("{\($1)}", with: "x") }
        return pattern.utf8.count <= 100 && (try? ImageTag(filled)) != nil
    }

    private static let lowercase = "abcdefghijklmnopqrstuvwxyz"
    private static let uppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    private static let letters = lowercase + uppercase
    private static let digits = "0123456789"

    private static func matches(_ text: String, first: String, others: String, most: Int) -> Bool {
        guard let start = text.utf8.first, first.utf8.contains(start), text.utf8.count <= most else { return false }
        return text.utf8.dropFirst().allSatisfy { others.utf8.contains($0) }
    }
}
