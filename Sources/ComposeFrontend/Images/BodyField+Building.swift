import ForeignText
import ImageModel

/// The members of a definition for the tags, the caches and the needs of an image.
extension BodyField {
    /// Returns the tags of manifest lists besides the date and `latest`.
    func listTags() throws(RequestRejection) -> [String]? {
        guard let tags = try strings("tags") else { return nil }
        let path = member("tags")?.name ?? "tags"
        guard tags.count <= 20, Set(tags).count == tags.count else { throw .badRequest("\(path) must have at most 20 different tags.") }
        for tag in tags {
            // There is room for the date with a number behind it.
            let example = tag.replacing("{date}", with: "20261129.1000")
            // The error would name the example instead of the pattern, so it is not passed on.
            guard (try? ImageTag(example)) != nil, ![ImageTag.latest.text, "{date}"].contains(tag) else {
                throw .badRequest(
                    "\(path) has \(tag.quoted). It must be a tag in which {date} may stand for the tag of the date, such as v1-{date} or stable. "
                        + "The tags of the date and latest have members of their own.")
            }
        }
        return tags
    }

    /// Returns the folders that a worker keeps, by their names.
    func caches() throws(RequestRejection) -> [String: String]? {
        guard let caches = try texts("caches") else { return nil }
        let path = member("caches")?.name ?? "caches"
        guard caches.count <= 20 else { throw .badRequest("\(path) has \(caches.count) members. 20 are possible.") }
        for (name, folder) in caches.sorted(by: { $0.key < $1.key }) {
            guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/) != nil else {
                throw .badRequest(
                    "\(path) has the name \(name.quoted). It must have letters, digits, _, . and -, and begin with a letter or a digit.")
            }
            guard folder.utf8.count <= 255, folder.wholeMatch(of: /(\/[A-Za-z0-9_.+-]+)+/) != nil,
                folder.split(separator: "/").allSatisfy({ PathComponent.accepts(String($0)) })
            else {
                throw .badRequest("\(path).\(name) is \(folder.quoted). It must be an absolute path of letters, digits, _, ., + and -.")
            }
            let reserved = ["/run/odcs", "/etc/yum.repos.d", "/proc", "/sys", "/dev"]
            guard !reserved.contains(where: { folder == $0 || folder.hasPrefix("\($0)/") || "\($0)/".hasPrefix("\(folder)/") }) else {
                throw .badRequest("\(path).\(name) cannot be \(folder), because a build has other files there.")
            }
        }
        return caches
    }

    /// Returns a size in megabytes. 0 stands for no size.
    func megabytes(_ key: String) throws(RequestRejection) -> Int? {
        guard let size = try integer(key) else { return nil }
        guard (0...100_000_000).contains(size) else {
            throw .badRequest("\(member(key)?.name ?? key) is \(size). It must be from 0 to 100000000, and 0 stands for no need.")
        }
        return size
    }
}
