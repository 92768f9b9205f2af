import ComposeStore
import ForeignText
import ImageModel

/// The query of the list of images: filters and page. Unknown keys are ignored, and so are filters
/// without a value. Example: `contains=openssl-libs&older_than=1:3.0.7-28&arch=x86_64`.
struct ImageListQuery: Sendable {
    /// Every key and value of the query, decoded, in the order of the query.
    let items: [(key: String, value: String)]
    private(set) var images = ImageQuery()
    /// The package that the images must have, if the query has `contains`.
    private(set) var packages: PackageQuery?

    init(_ query: String?, perPage limits: (default: Int, maximum: Int), namespace: ImageNamespace) throws(RequestRejection) {
        items = try QueryItems(query).items
        images.perPage = limits.default
        var (name, evr, arch) = (String?.none, EVR?.none, String?.none)
        for (key, value) in items where !value.isEmpty {
            switch key {
            case "owner": images.owners.append(value)
            case "repository": images.repositories.append(Self.repository(value, namespace))
            case "contents":
                guard value == "unknown" else { throw .badRequest("contents cannot be \(value.quoted). It can only be unknown.") }
                images.hasUnknownContents = true
            case "contains": name = try Self.once(name, value, key)
            case "older_than": evr = try Self.once(evr, Self.evr(value), key)
            case "arch": arch = try Self.once(arch, value, key)
            case "page": images.page = try QueryItems.number(value, key, from: 1)
            case "per_page": images.perPage = min(try QueryItems.number(value, key, from: 1), limits.maximum)
            default: break
            }
        }
        guard let name else {
            if evr != nil || arch != nil {
                throw .badRequest("\(evr == nil ? "arch" : "older_than") needs contains, which is the name of a package.")
            }
            return
        }
        guard images.owners.isEmpty, images.repositories.isEmpty, !images.hasUnknownContents else {
            throw .badRequest("contains cannot be used together with owner, repository or contents.")
        }
        var packages = PackageQuery(name: name, olderThan: evr, arch: arch)
        packages.page = images.page
        packages.perPage = images.perPage
        self.packages = packages
    }

    private static func once<Value>(_ old: Value?, _ value: Value, _ key: String) throws(RequestRejection) -> Value {
        guard old == nil else { throw .badRequest("\(key) is there more than once. One package can be looked for at a time.") }
        return value
    }

    /// Returns the whole name of an image. A name that cannot be one is kept, and no image has it.
    private static func repository(_ text: String, _ namespace: ImageNamespace) -> String {
        let probe = text.replacing("*", with: "x")
        // The error would say why the text is no name. A filter that fits no image needs no reason.
        guard let whole = try? namespace.repository(probe), whole.description != probe else { return text }
        return String(whole.description.dropLast(probe.count)) + text
    }

    private static func evr(_ text: String) throws(RequestRejection) -> EVR {
        guard let evr = EVR(written: text) else {
            throw .badRequest("older_than is \(text.quoted). It must be a version such as 1:3.0.7-28.el9, with or without an epoch.")
        }
        return evr
    }
}
