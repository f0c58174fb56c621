/** The pages and who may open them. */
import { createRouter, createWebHistory } from "vue-router";

import { mayOpen } from "./desk/rights";
import { recall, who } from "./desk/session";
// What agents open is not loaded lazily: a file of its own would only be asked for later.
import DeskPage from "./pages/DeskPage.vue";
import FramePage from "./pages/FramePage.vue";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/login", name: "login", component: () => import("./pages/LoginPage.vue"), meta: { open: true } },
    { path: "/password", name: "password", component: () => import("./pages/PasswordPage.vue") },
    { path: "/wallboard", name: "wallboard", component: () => import("./pages/WallboardPage.vue") },
    {
      path: "/",
      component: FramePage,
      children: [
        { path: "", name: "desk", component: DeskPage },
        { path: "seat", name: "seat", component: () => import("./pages/SeatPage.vue") },
        { path: "phone", name: "phone", component: () => import("./pages/PhonePage.vue") },
        { path: "customers", name: "customers", component: () => import("./pages/CustomersPage.vue") },
        { path: "customers/:id", name: "customer", component: () => import("./pages/CustomerPage.vue"), props: true },
        {
          path: "reconciliations",
          name: "reconciliations",
          component: () => import("./pages/ReconciliationsPage.vue"),
        },
        { path: "calls", name: "calls", component: () => import("./pages/CallsPage.vue") },
        { path: "reports", name: "reports", component: () => import("./pages/ReportsPage.vue") },
        { path: "floor", name: "floor", component: () => import("./pages/FloorPage.vue") },
        { path: "account", name: "account", component: () => import("./pages/AccountPage.vue") },
        {
          path: "admin",
          redirect: { name: "users" },
          component: () => import("./pages/AdminPage.vue"),
          children: [
            { path: "users", name: "users", component: () => import("./pages/UsersPage.vue") },
            { path: "sessions", name: "sessions", component: () => import("./pages/SessionsPage.vue") },
            { path: "keys", name: "keys", component: () => import("./pages/KeysPage.vue") },
            { path: "audit", name: "audit", component: () => import("./pages/AuditPage.vue") },
            { path: "/webhooks", name: "webhooks", component: () => import("./pages/WebhooksPage.vue") },
          ],
        },
        { path: ":rest(.*)*", name: "missing", component: () => import("./pages/MissingPage.vue") },
      ],
    },
  ],
});

router.beforeEach(async (to) => {
  await recall().catch(() => undefined);
  if (!who.user) return to.meta["open"] ? true : { name: "login", query: { next: to.fullPath } };
  if (who.user.must_change_password) return to.name === "password" ? true : { name: "password" };
  if (to.name === "login" || to.name === "password") return { name: "desk" };
  if (!mayOpen(String(to.name))) return { name: "desk" };
  return true;
});
