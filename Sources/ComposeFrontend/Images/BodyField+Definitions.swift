import ForeignText
import Foundation
import HTTPTypes
import ImageModel

/// Members of bodies that only images and builds have.
extension BodyField {
    /// Throws if the object has a member with another name. A build without a member that its sender
    /// believed in would be another build.
    func checkMembers(_ known: [String]) throws(RequestRejection) {
        guard case .object(let members) = value else { return }
        guard let unknown = members.keys.sorted(by: { $0.precedesInBytes($1) }).first(where: { !known.contains($0) }) else { return }
        let path = name.isEmpty ? unknown : "\(name).\(unknown)"
        throw .badRequest("\(path.printable(most: 100)) is not known. The members are \(known.joined(separator: ", ")).")
    }

    /// Returns an object whose members are texts.
    func texts(_ key: String) throws(RequestRejection) -> [String: String]? {
        guard let object = try object(key), case .object(let members) = object.value else { return nil }
        var texts: [String: String] = [:]
        for key in members.keys.sorted(by: { $0.precedesInBytes($1) }) {
            guard let text = try object.string(key) else { continue }
            guard !key.utf8.contains(0), !text.utf8.contains(0) else { throw .badRequest("\(object.name) contains U+0000.") }
            texts[key] = text
        }
        return texts
    }

    /// Returns a list of integers.
    func integers(_ key: String) throws(RequestRejection) -> [Int]? {
        guard let member = member(key) else { return nil }
        guard case .array(let elements) = member.value else { throw member.mustBe("a list of integers") }
        var integers: [Int] = []
        for (index, element) in elements.enumerated() {
            guard case .integer(let integer) = element else {
                throw .badRequest("\(member.name)[\(index)] must be an integer, not \(element.shortDescription).")
            }
            integers.append(integer)
        }
        return integers
    }

    /// Returns a list of platforms without repetitions.
    func platforms(_ key: String, isEmptyAllowed: Bool = false) throws(RequestRejection) -> [Platform]? {
        guard let texts = try strings(key) else { return nil }
        let path = member(key)?.name ?? key
        guard (1...20).contains(texts.count) || texts.isEmpty && isEmptyAllowed else {
            throw .badRequest("\(path) has \(texts.count) entries. It must have 1 to 20, such as linux/amd64.")
        }
        var platforms: [Platform] = []
        for (index, text) in texts.enumerated() {
            let platform: Platform
            do throws(ImageProblem) {
                platform = try Platform(text)
            } catch {
                throw .badRequest("\(path)[\(index)]: \(error.description)")
            }
            guard !platforms.contains(platform) else { throw .badRequest("\(path)[\(index)] is \(platform) once more.") }
            platforms.append(platform)
        }
        return platforms
    }

    /// Returns values of `ARG` instructions.
    func buildArguments(_ key: String) throws(RequestRejection) -> [String: String]? {
        guard let arguments = try texts(key) else { return nil }
        let path = member(key)?.name ?? key
        guard arguments.count <= 200 else { throw .badRequest("\(path) has \(arguments.count) members. 200 are possible.") }
        for (name, value) in arguments.sorted(by: { $0.key < $1.key }) {
            guard name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil else {
                throw .badRequest("\(path) has the name \(name.quoted). The name of an argument has letters, digits and _.")
            }
            guard value.utf8.count <= 4096 else { throw .badRequest("\(path).\(name) is longer than 4096 bytes.") }
        }
        return arguments
    }
}

/// The members that requests for builds and for rebuilds have.
extension BodyField {
    /// Returns the member `priority`. Only an admin can ask for more than 0.
    func buildPriority(for grant: Grant) throws(RequestRejection) -> Int {
        let priority = try integer("priority") ?? 0
        guard (-100...100).contains(priority) else { throw .badRequest("priority is \(priority). It must be from -100 to 100.") }
        guard priority <= 0 || grant.isAdmin else {
            throw RequestRejection(.forbidden, .admin, "Not allowed: only an admin can ask for a priority above 0.")
        }
        return priority
    }

    /// Returns the member `date_tag`, or the day in UTC.
    func dateTag(on day: Date) throws(RequestRejection) -> ImageTag {
        let text = try string("date_tag") ?? day.formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        // There is room for a number behind it.
        guard text != ImageTag.latest.text, text.utf8.count <= 100 else {
            throw .badRequest("date_tag cannot be \(text.quoted). It must be the tag of one build, such as 20261129.")
        }
        do throws(ImageProblem) {
            return try ImageTag(text)
        } catch {
            throw .badRequest("date_tag: \(error.description)")
        }
    }
}
