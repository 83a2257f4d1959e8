// Word lists of the organisation grammar. Trades are ordinary words of their languages; the coined
// words' syllables are made up in the manner of each. Non-ASCII letters are written as escapes.

#include "world/organisation_words.hpp"

namespace sosia::world::words {
namespace {

constexpr std::string_view k_en[] = {"Software",  "Logistics", "Shipping",  "Construction",
                                     "Foods",     "Textiles",  "Chemicals", "Energy",
                                     "Insurance", "Finance",   "Pharma",    "Machinery"};
constexpr std::string_view k_de[] = {"Software",     "Logistik", "Reederei", "Bau",
                                     "Lebensmittel", "Textil",   "Chemie",   "Energie",
                                     "Versicherung", "Finanz",   "Pharma",   "Maschinenbau"};
constexpr std::string_view k_fr[] = {"Logiciels",    "Logistique", "Navigation", "Construction",
                                     "Alimentation", "Textiles",   "Chimie",     "\u00c9nergie",
                                     "Assurances",   "Finance",    "Pharmacie",  "M\u00e9canique"};
constexpr std::string_view k_es[] = {"Inform\u00e1tica", "Log\u00edstica",    "Naviera",
                                     "Construcciones",   "Alimentos",         "Textiles",
                                     "Qu\u00edmica",     "Energ\u00eda",      "Seguros",
                                     "Finanzas",         "Farmac\u00e9utica", "Maquinaria"};
constexpr std::string_view k_it[] = {"Informatica",   "Logistica", "Navigazione",  "Costruzioni",
                                     "Alimentari",    "Tessuti",   "Chimica",      "Energia",
                                     "Assicurazioni", "Finanza",   "Farmaceutici", "Meccanica"};
constexpr std::string_view k_nl[] = {
    "Software", "Logistiek", "Scheepvaart",   "Bouw",           "Voeding", "Textiel",
    "Chemie",   "Energie",   "Verzekeringen", "Financi\u00ebn", "Farma",   "Machinebouw"};
constexpr std::string_view k_sv[] = {"Mjukvara", "Logistik",       "Rederi",
                                     "Bygg",     "Livsmedel",      "Textil",
                                     "Kemi",     "Energi",         "F\u00f6rs\u00e4kring",
                                     "Finans",   "L\u00e4kemedel", "Maskin"};
constexpr std::string_view k_pl[] = {
    "Oprogramowanie",         "Logistyka", "\u017begluga", "Budownictwo",
    "\u017bywno\u015b\u0107", "Tekstylia", "Chemia",       "Energia",
    "Ubezpieczenia",          "Finanse",   "Farmacja",     "Maszyny"};
constexpr std::string_view k_tr[] = {
    "Yaz\u0131l\u0131m", "Lojistik", "Denizcilik",     "\u0130n\u015faat",
    "G\u0131da",         "Tekstil",  "Kimya",          "Enerji",
    "Sigorta",           "Finans",   "\u0130la\u00e7", "Makine"};
constexpr std::string_view k_pt[] = {
    "Inform\u00e1tica", "Log\u00edstica", "Navega\u00e7\u00e3o", "Constru\u00e7\u00f5es",
    "Alimentos",        "T\u00eaxteis",   "Qu\u00edmica",        "Energia",
    "Seguros",          "Finan\u00e7as",  "Farmac\u00eautica",   "M\u00e1quinas"};
constexpr std::string_view k_ru[] = {"Soft",         "Logistika", "Sudokhodstvo", "Stroy",
                                     "Prodtorg",     "Tekstil",   "Khimiya",      "Energo",
                                     "Strakhovanie", "Finans",    "Farma",        "Mash"};
constexpr std::string_view k_el[] = {"Logismiko", "Metafores",      "Naftiliaki", "Kataskeves",
                                     "Trofima",   "Yfasmata",       "Chimika",    "Energeia",
                                     "Asfaleies", "Chrimatodotiki", "Farmaka",    "Michanes"};
constexpr std::string_view k_ja[] = {"Sofuto",   "Butsuryu", "Kaiun",   "Kensetsu",
                                     "Shokuhin", "Seni",     "Kagaku",  "Enerugi",
                                     "Hoken",    "Kinyu",    "Seiyaku", "Kikai"};
constexpr std::string_view k_zh[] = {"Ruanjian", "Wuliu",   "Hangyun", "Jianshe",
                                     "Shipin",   "Fangzhi", "Huagong", "Nengyuan",
                                     "Baoxian",  "Jinrong", "Yiyao",   "Jixie"};
constexpr std::string_view k_ru_native[] = {
    "\u0421\u043e\u0444\u0442",
    "\u041b\u043e\u0433\u0438\u0441\u0442\u0438\u043a\u0430",
    "\u0421\u0443\u0434\u043e\u0445\u043e\u0434\u0441\u0442\u0432\u043e",
    "\u0421\u0442\u0440\u043e\u0439",
    "\u041f\u0440\u043e\u0434\u0442\u043e\u0440\u0433",
    "\u0422\u0435\u043a\u0441\u0442\u0438\u043b\u044c",
    "\u0425\u0438\u043c\u0438\u044f",
    "\u042d\u043d\u0435\u0440\u0433\u043e",
    "\u0421\u0442\u0440\u0430\u0445\u043e\u0432\u0430\u043d\u0438\u0435",
    "\u0424\u0438\u043d\u0430\u043d\u0441",
    "\u0424\u0430\u0440\u043c\u0430",
    "\u041c\u0430\u0448"};
constexpr std::string_view k_el_native[] = {
    "\u039b\u03bf\u03b3\u03b9\u03c3\u03bc\u03b9\u03ba\u03cc",
    "\u039c\u03b5\u03c4\u03b1\u03c6\u03bf\u03c1\u03ad\u03c2",
    "\u039d\u03b1\u03c5\u03c4\u03b9\u03bb\u03b9\u03b1\u03ba\u03ae",
    "\u039a\u03b1\u03c4\u03b1\u03c3\u03ba\u03b5\u03c5\u03ad\u03c2",
    "\u03a4\u03c1\u03cc\u03c6\u03b9\u03bc\u03b1",
    "\u03a5\u03c6\u03ac\u03c3\u03bc\u03b1\u03c4\u03b1",
    "\u03a7\u03b7\u03bc\u03b9\u03ba\u03ac",
    "\u0395\u03bd\u03ad\u03c1\u03b3\u03b5\u03b9\u03b1",
    "\u0391\u03c3\u03c6\u03ac\u03bb\u03b5\u03b9\u03b5\u03c2",
    "\u03a7\u03c1\u03b7\u03bc\u03b1\u03c4\u03bf\u03b4\u03bf\u03c4\u03b9\u03ba\u03ae",
    "\u03a6\u03ac\u03c1\u03bc\u03b1\u03ba\u03b1",
    "\u039c\u03b7\u03c7\u03b1\u03bd\u03ad\u03c2"};
constexpr std::string_view k_ja_native[] = {
    "\u30bd\u30d5\u30c8", "\u7269\u6d41", "\u6d77\u904b", "\u5efa\u8a2d",
    "\u98df\u54c1",       "\u7e4a\u7dad", "\u5316\u5b66", "\u30a8\u30cd\u30eb\u30ae\u30fc",
    "\u4fdd\u967a",       "\u91d1\u878d", "\u88fd\u85ac", "\u6a5f\u68b0"};
constexpr std::string_view k_zh_native[] = {
    "\u8f6f\u4ef6", "\u7269\u6d41", "\u822a\u8fd0", "\u5efa\u8bbe", "\u98df\u54c1", "\u7eba\u7ec7",
    "\u5316\u5de5", "\u80fd\u6e90", "\u4fdd\u9669", "\u91d1\u878d", "\u533b\u836f", "\u673a\u68b0"};
constexpr std::string_view kStartDE[] = {"Brand", "Kel",  "Vor",  "Hel",  "Stram",
                                         "Wen",   "Luth", "Grim", "Tann", "R\u00f6s"};
constexpr std::string_view kEndDE[] = {"heim", "ner",  "ing", "mark",
                                       "tal",  "wald", "sen", "br\u00fcck"};
constexpr std::string_view kCityDE[] = {"Hamburg", "M\u00fcnchen", "K\u00f6ln", "Leipzig"};
constexpr LegalForm kFormDE[] = {
    {"GmbH", "G.m.b.H.", "Gesellschaft mit beschr\u00e4nkter Haftung", ""},
    {"AG", "A.G.", "Aktiengesellschaft", ""},
    {"KG", "K.G.", "Kommanditgesellschaft", ""}};
constexpr std::string_view kStartGB[] = {"Har", "Tol", "Wick", "Bram", "Cold",
                                         "Ash", "Fen", "Mar",  "Pend", "Thorn"};
constexpr std::string_view kEndGB[] = {"win",  "more",  "ley",  "stead",
                                       "bury", "combe", "well", "ford"};
constexpr std::string_view kCityGB[] = {"Leeds", "Bristol", "London", "Cardiff"};
constexpr LegalForm kFormGB[] = {{"Ltd", "Ltd.", "Limited", ""},
                                 {"PLC", "plc", "Public Limited Company", ""},
                                 {"LLP", "L.L.P.", "Limited Liability Partnership", ""}};
constexpr std::string_view kStartUS[] = {"Nova", "Quan", "Strato", "Ver",  "Opti",
                                         "Cor",  "Lumi", "Axo",    "Pyra", "Zen"};
constexpr std::string_view kEndUS[] = {"trex", "tum", "via", "dyne", "gen", "lex", "core", "bit"};
constexpr std::string_view kCityUS[] = {"Austin", "Denver", "Boston", "Seattle"};
constexpr LegalForm kFormUS[] = {{"Inc.", "Inc", "Incorporated", ""},
                                 {"LLC", "L.L.C.", "Limited Liability Company", ""},
                                 {"Corp.", "Corp", "Corporation", ""}};
constexpr std::string_view kStartFR[] = {"Beau", "Mont", "Val", "Lam",  "Cour",
                                         "Roch", "Vill", "Fon", "Char", "D\u00e9l"};
constexpr std::string_view kEndFR[] = {"rival", "bert",  "onne", "ieux",
                                       "aine",  "moret", "igny", "ard"};
constexpr std::string_view kCityFR[] = {"Lyon", "Paris", "N\u00eemes", "Lille"};
constexpr LegalForm kFormFR[] = {
    {"SA", "S.A.", "Soci\u00e9t\u00e9 Anonyme", ""},
    {"SARL", "S.A.R.L.", "Soci\u00e9t\u00e9 \u00e0 responsabilit\u00e9 limit\u00e9e", ""},
    {"SAS", "S.A.S.", "Soci\u00e9t\u00e9 par actions simplifi\u00e9e", ""}};
constexpr std::string_view kStartIT[] = {"Bel", "Mar", "Cast", "Fior", "Lam",
                                         "Ver", "Gal", "Sal",  "Tor",  "Pel"};
constexpr std::string_view kEndIT[] = {"vano", "elli", "etti", "onti",
                                       "ardi", "ucci", "ara",  "enzo"};
constexpr std::string_view kCityIT[] = {"Milano", "Torino", "Roma", "Forl\u00ec"};
constexpr LegalForm kFormIT[] = {
    {"S.p.A.", "SpA", "Societ\u00e0 per Azioni", ""},
    {"S.r.l.", "Srl", "Societ\u00e0 a responsabilit\u00e0 limitata", ""}};
constexpr std::string_view kStartES[] = {"Vil", "Mar", "Cort", "Alb", "Quin",
                                         "Ser", "Rob", "Lam",  "Zar", "Pe\u00f1"};
constexpr std::string_view kEndES[] = {"ando",           "ejo",  "aluz", "tena", "osa",
                                       "i\u00f1\u00e1n", "arte", "ueda"};
constexpr std::string_view kCityES[] = {"Madrid", "M\u00e1laga", "Bilbao", "C\u00e1diz"};
constexpr LegalForm kFormES[] = {{"S.A.", "SA", "Sociedad An\u00f3nima", ""},
                                 {"S.L.", "SL", "Sociedad Limitada", ""}};
constexpr std::string_view kStartNL[] = {"Van",  "Brou", "Kuip", "Does", "Hoog",
                                         "Lind", "Meer", "Veld", "Zand", "Stroo"};
constexpr std::string_view kEndNL[] = {"wijk", "huis", "steen", "burg",
                                       "dijk", "mans", "berg",  "laan"};
constexpr std::string_view kCityNL[] = {"Utrecht", "Rotterdam", "Breda", "Delft"};
constexpr LegalForm kFormNL[] = {{"B.V.", "BV", "Besloten Vennootschap", ""},
                                 {"N.V.", "NV", "Naamloze Vennootschap", ""}};
constexpr std::string_view kStartSE[] = {"Berg", "Lind",   "Sj\u00f6", "H\u00e4ll", "Norr",
                                         "Alm",  "Strand", "Gran",     "Ek",        "\u00d6"};
constexpr std::string_view kEndSE[] = {"vall", "kvist", "str\u00f6m", "dahl",
                                       "gren", "berga", "lund",       "n\u00e4s"};
constexpr std::string_view kCitySE[] = {"Malm\u00f6", "Uppsala", "G\u00f6teborg", "Lund"};
constexpr LegalForm kFormSE[] = {{"AB", "A.B.", "Aktiebolag", ""}};
constexpr std::string_view kStartPL[] = {"Krzy", "W\u0142o", "Brze", "D\u0105b",      "Mal",
                                         "Star", "Zie",      "Gra",  "\u0141\u0119k", "Pod"};
constexpr std::string_view kEndPL[] = {"mierz", "wicz",       "rowa",     "nowa",
                                       "tycz",  "li\u0144sk", "b\u00f3r", "czan"};
constexpr std::string_view kCityPL[] = {"Krak\u00f3w", "\u0141\u00f3d\u017a", "Gdynia", "Warszawa"};
constexpr LegalForm kFormPL[] = {
    {"Sp. z o.o.", "SP ZOO", "Sp\u00f3\u0142ka z ograniczon\u0105 odpowiedzialno\u015bci\u0105",
     ""},
    {"S.A.", "SA", "Sp\u00f3\u0142ka Akcyjna", ""}};
constexpr std::string_view kStartTR[] = {"Kara",    "Y\u0131l", "G\u00fcn", "Ak",  "De",
                                         "\u00d6z", "\u015een", "Top",      "Bay", "\u00c7el"};
constexpr std::string_view kEndTR[] = {"maz", "do\u011fan", "soy",   "t\u00fcrk",
                                       "mir", "tekin",      "bulut", "\u00f6ren"};
constexpr std::string_view kCityTR[] = {"\u0130zmir", "Bursa", "Ankara", "Adana"};
constexpr LegalForm kFormTR[] = {{"A.\u015e.", "AS", "Anonim \u015eirketi", ""},
                                 {"Ltd. \u015eti.", "Ltd Sti", "Limited \u015eirketi", ""}};
constexpr std::string_view kStartBR[] = {"Pal", "Mor", "Guar",     "Ita", "Can",
                                         "Tau", "Mir", "S\u00e3o", "Bra", "Jun"};
constexpr std::string_view kEndBR[] = {"andira",        "eira",     "ap\u00e9", "bara",
                                       "\u00e7\u00e3o", "ar\u00e9", "anga",     "quim"};
constexpr std::string_view kCityBR[] = {"Recife", "Curitiba", "Manaus", "Bel\u00e9m"};
constexpr LegalForm kFormBR[] = {{"Ltda.", "Ltda", "Limitada", ""},
                                 {"S.A.", "SA", "Sociedade An\u00f4nima", ""}};
constexpr std::string_view kStartRU[] = {"Vol", "Dro", "Mir", "Sev", "Ural",
                                         "Kam", "Bor", "Zla", "Ner", "Yar"};
constexpr std::string_view kEndRU[] = {"gorod", "mash", "stal", "prom",
                                       "vest",  "lesk", "nov",  "torg"};
constexpr std::string_view kCityRU[] = {"Tver", "Perm", "Omsk", "Samara"};
constexpr LegalForm kFormRU[] = {
    {"OOO", "O.O.O.", "Obshchestvo s ogranichennoy otvetstvennostyu", "\u041e\u041e\u041e"},
    {"AO", "A.O.", "Aktsionernoe obshchestvo", "\u0410\u041e"}};
constexpr std::string_view kStartGR[] = {"Kal", "Theo", "Pel", "Ath", "Mar",
                                         "Dim", "Xan",  "Lef", "Nik", "Ar"};
constexpr std::string_view kEndGR[] = {"opoulos", "ikos", "andros", "olis",
                                       "eas",     "onia", "akis",   "emis"};
constexpr std::string_view kCityGR[] = {"Patra", "Athina", "Volos", "Larisa"};
constexpr LegalForm kFormGR[] = {
    {"A.E.", "AE", "Anonymi Etaireia", "\u0391.\u0395."},
    {"E.P.E.", "EPE", "Etaireia Periorismenis Efthynis", "\u0395.\u03a0.\u0395."}};
constexpr std::string_view kStartJP[] = {"ka", "mi", "shi", "to", "na",
                                         "ha", "yo", "ki",  "sa", "mo"};
constexpr std::string_view kEndJP[] = {"ra", "wa", "no", "da", "mu", "ne", "ri", "ko"};
constexpr std::string_view kCityJP[] = {"Osaka", "Kobe", "Sendai", "Nagoya"};
constexpr LegalForm kFormJP[] = {
    {"K.K.", "KK", "Kabushiki Kaisha", "\u682a\u5f0f\u4f1a\u793e"},
    {"Co., Ltd.", "Co Ltd", "Company Limited", "\u682a\u5f0f\u4f1a\u793e"}};
constexpr std::string_view kStartCN[] = {"hua", "dong", "xin", "tai",  "heng",
                                         "jin", "yuan", "bao", "ming", "sheng"};
constexpr std::string_view kEndCN[] = {"feng", "long", "da", "wei", "chang", "shun", "de", "yi"};
constexpr std::string_view kCityCN[] = {"Shenzhen", "Wuhan", "Dalian", "Suzhou"};
constexpr LegalForm kFormCN[] = {
    {"Co., Ltd.", "Co Ltd", "Company Limited", "\u6709\u9650\u516c\u53f8"}};
constexpr Country kCountries[] = {
    {"DE", k_de, {}, kStartDE, kEndDE, kFormDE, kCityDE},
    {"GB", k_en, {}, kStartGB, kEndGB, kFormGB, kCityGB},
    {"US", k_en, {}, kStartUS, kEndUS, kFormUS, kCityUS},
    {"FR", k_fr, {}, kStartFR, kEndFR, kFormFR, kCityFR},
    {"IT", k_it, {}, kStartIT, kEndIT, kFormIT, kCityIT},
    {"ES", k_es, {}, kStartES, kEndES, kFormES, kCityES},
    {"NL", k_nl, {}, kStartNL, kEndNL, kFormNL, kCityNL},
    {"SE", k_sv, {}, kStartSE, kEndSE, kFormSE, kCitySE},
    {"PL", k_pl, {}, kStartPL, kEndPL, kFormPL, kCityPL},
    {"TR", k_tr, {}, kStartTR, kEndTR, kFormTR, kCityTR},
    {"BR", k_pt, {}, kStartBR, kEndBR, kFormBR, kCityBR},
    {"RU", k_ru, k_ru_native, kStartRU, kEndRU, kFormRU, kCityRU},
    {"GR", k_el, k_el_native, kStartGR, kEndGR, kFormGR, kCityGR},
    {"JP", k_ja, k_ja_native, kStartJP, kEndJP, kFormJP, kCityJP},
    {"CN", k_zh, k_zh_native, kStartCN, kEndCN, kFormCN, kCityCN},
};

constexpr Replacement kCyrillic[] = {
    {"shch", "\u0449"},   {"sh", "\u0448"}, {"ch", "\u0447"}, {"kh", "\u0445"}, {"zh", "\u0436"},
    {"ya", "\u044f"},     {"yu", "\u044e"}, {"yo", "\u0451"}, {"ye", "\u0435"}, {"ts", "\u0446"},
    {"a", "\u0430"},      {"b", "\u0431"},  {"v", "\u0432"},  {"g", "\u0433"},  {"d", "\u0434"},
    {"e", "\u0435"},      {"z", "\u0437"},  {"i", "\u0438"},  {"y", "\u044b"},  {"k", "\u043a"},
    {"l", "\u043b"},      {"m", "\u043c"},  {"n", "\u043d"},  {"o", "\u043e"},  {"p", "\u043f"},
    {"r", "\u0440"},      {"s", "\u0441"},  {"t", "\u0442"},  {"u", "\u0443"},  {"f", "\u0444"},
    {"w", "\u0432"},      {"h", "\u0445"},  {"c", "\u043a"},  {"j", "\u0439"},  {"q", "\u043a"},
    {"x", "\u043a\u0441"}};
constexpr Replacement kGreek[] = {
    {"th", "\u03b8"},       {"ch", "\u03c7"}, {"ps", "\u03c8"}, {"ks", "\u03be"},
    {"ou", "\u03bf\u03c5"}, {"x", "\u03be"},  {"a", "\u03b1"},  {"b", "\u03bc\u03c0"},
    {"v", "\u03b2"},        {"g", "\u03b3"},  {"d", "\u03b4"},  {"e", "\u03b5"},
    {"z", "\u03b6"},        {"i", "\u03b9"},  {"y", "\u03c5"},  {"k", "\u03ba"},
    {"l", "\u03bb"},        {"m", "\u03bc"},  {"n", "\u03bd"},  {"o", "\u03bf"},
    {"p", "\u03c0"},        {"r", "\u03c1"},  {"s", "\u03c3"},  {"t", "\u03c4"},
    {"u", "\u03bf\u03c5"},  {"f", "\u03c6"},  {"h", "\u03c7"},  {"c", "\u03ba"},
    {"j", "\u03c4\u03b6"},  {"q", "\u03ba"},  {"w", "\u03b2"}};
constexpr Replacement kKatakana[] = {
    {"shi", "\u30b7"}, {"ka", "\u30ab"}, {"mi", "\u30df"}, {"to", "\u30c8"}, {"na", "\u30ca"},
    {"ha", "\u30cf"},  {"yo", "\u30e8"}, {"ki", "\u30ad"}, {"sa", "\u30b5"}, {"mo", "\u30e2"},
    {"ra", "\u30e9"},  {"wa", "\u30ef"}, {"no", "\u30ce"}, {"da", "\u30c0"}, {"mu", "\u30e0"},
    {"ne", "\u30cd"},  {"ri", "\u30ea"}, {"ko", "\u30b3"}};
constexpr Replacement kHan[] = {{"sheng", "\u76db"}, {"chang", "\u660c"}, {"dong", "\u4e1c"},
                                {"heng", "\u6052"},  {"yuan", "\u8fdc"},  {"ming", "\u660e"},
                                {"feng", "\u4e30"},  {"long", "\u9686"},  {"shun", "\u987a"},
                                {"hua", "\u534e"},   {"xin", "\u65b0"},   {"tai", "\u6cf0"},
                                {"jin", "\u91d1"},   {"bao", "\u5b9d"},   {"wei", "\u5a01"},
                                {"da", "\u8fbe"},    {"de", "\u5fb7"},    {"yi", "\u76ca"}};
constexpr Replacement kCities[] = {{"Tver", "\u0422\u0432\u0435\u0440\u044c"},
                                   {"Perm", "\u041f\u0435\u0440\u043c\u044c"},
                                   {"Omsk", "\u041e\u043c\u0441\u043a"},
                                   {"Samara", "\u0421\u0430\u043c\u0430\u0440\u0430"},
                                   {"Patra", "\u03a0\u03ac\u03c4\u03c1\u03b1"},
                                   {"Athina", "\u0391\u03b8\u03ae\u03bd\u03b1"},
                                   {"Volos", "\u0392\u03cc\u03bb\u03bf\u03c2"},
                                   {"Larisa", "\u039b\u03ac\u03c1\u03b9\u03c3\u03b1"},
                                   {"Osaka", "\u5927\u962a"},
                                   {"Kobe", "\u795e\u6238"},
                                   {"Sendai", "\u4ed9\u53f0"},
                                   {"Nagoya", "\u540d\u53e4\u5c4b"},
                                   {"Shenzhen", "\u6df1\u5733"},
                                   {"Wuhan", "\u6b66\u6c49"},
                                   {"Dalian", "\u5927\u8fde"},
                                   {"Suzhou", "\u82cf\u5dde"}};
constexpr Replacement kAscii[] = {
    {"\u00e4", "ae"}, {"\u00f6", "oe"}, {"\u00fc", "ue"}, {"\u00c4", "Ae"}, {"\u00d6", "Oe"},
    {"\u00dc", "Ue"}, {"\u00df", "ss"}, {"\u00e9", "e"},  {"\u00e8", "e"},  {"\u00ea", "e"},
    {"\u00eb", "e"},  {"\u00c9", "E"},  {"\u00e0", "a"},  {"\u00e1", "a"},  {"\u00e2", "a"},
    {"\u00e3", "a"},  {"\u00e5", "a"},  {"\u00e7", "c"},  {"\u00c7", "C"},  {"\u00ed", "i"},
    {"\u00ec", "i"},  {"\u00ee", "i"},  {"\u00ef", "i"},  {"\u0131", "i"},  {"\u0130", "I"},
    {"\u00f3", "o"},  {"\u00f2", "o"},  {"\u00f4", "o"},  {"\u00f5", "o"},  {"\u00fa", "u"},
    {"\u00f9", "u"},  {"\u00fb", "u"},  {"\u00f1", "n"},  {"\u015f", "s"},  {"\u015e", "S"},
    {"\u011f", "g"},  {"\u0105", "a"},  {"\u0107", "c"},  {"\u0119", "e"},  {"\u0142", "l"},
    {"\u0141", "L"},  {"\u0144", "n"},  {"\u015b", "s"},  {"\u017a", "z"},  {"\u017c", "z"},
    {"\u017b", "Z"},  {"\u015a", "S"},  {"\u00d3", "O"},  {"\u00f8", "o"},  {"\u00e6", "ae"},
    {"\u00d8", "O"}};

}  // namespace

std::span<const Country> countries() {
  return kCountries;
}
std::span<const std::string_view> english_trades() {
  return k_en;
}
std::span<const Replacement> script_of(std::string_view country) {
  if (country == "RU") return kCyrillic;
  if (country == "GR") return kGreek;
  if (country == "JP") return kKatakana;
  if (country == "CN") return kHan;
  return {};
}
std::span<const Replacement> native_cities() {
  return kCities;
}
std::span<const Replacement> ascii_letters() {
  return kAscii;
}

}  // namespace sosia::world::words
