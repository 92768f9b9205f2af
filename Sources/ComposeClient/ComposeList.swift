public import ComposeModel

/// One page of composes.
public struct ComposeList: Hashable, Sendable, Codable {
    /// The position of the page among all pages.
    public struct Meta: Hashable, Sendable, Codable {
        public var page: Int
        public var pages: Int
        public var perPage: Int
        /// The number of composes on all pages.
        public var total: Int
        public var first: String?
        public var last: String?
        public var prev: String?
        public var next: String?

        enum CodingKeys: String, CodingKey {
            case page, pages, total, first, last, prev, next
            case perPage = "per_page"
        }

        /// Encodes every member, as the service does. A member without a value is `null`.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(page, forKey: .page)
            try container.encode(pages, forKey: .pages)
            try container.encode(perPage, forKey: .perPage)
            try container.encode(total, forKey: .total)
            try container.encode(first, forKey: .first)
            try container.encode(last, forKey: .last)
            try container.encode(prev, forKey: .prev)
            try container.encode(next, forKey: .next)
        }
    }

    public var meta: Meta
    public var items: [ComposeDocument]
}
